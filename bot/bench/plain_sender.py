"""`python -m bot.bench.plain_sender`: what a user would write first, python-telegram-bot with its AIORateLimiter.

Reads `{"token", "base_url", "chats", "rate"}` on stdin, sends one text to each chat, prints what it took.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, ExtBot


async def _run(job: dict[str, Any]) -> dict[str, Any]:
    limiter = AIORateLimiter(overall_max_rate=job["rate"], overall_time_period=1, max_retries=5)
    bot: Any = ExtBot(job["token"], base_url=f"{job['base_url']}/bot", rate_limiter=limiter)
    paid = {"allow_paid_broadcast": True} if job["paid"] else {}

    async def send(chat_id: str) -> bool:
        try:
            await bot.send_message(chat_id=chat_id, text=job["text"], **paid)
        except TelegramError:
            return False
        return True

    async with bot:
        started, spent = time.perf_counter(), _cpu()
        done = await asyncio.gather(*(send(chat) for chat in job["chats"]))
        seconds = time.perf_counter() - started
    cpu = _cpu() - spent
    return {"recipients": len(done), "sent": sum(done), "seconds": seconds, "cpu_s": cpu}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_run(json.load(sys.stdin)))) + "\n")

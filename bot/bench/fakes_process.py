"""`python -m bot.bench.fakes_process`: one strict fake with many people who may be written to, for measuring.

Prints one JSON object with the settings that connect the system under test, then serves until it is ended.
`GET /_control/deliveries` tells what is on the phones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bot.rehearsal.fakes.control import ControlApp
from bot.rehearsal.fakes.servers import running_fakes
from bot.rehearsal.fakes.telegram import TelegramFake, TelegramRules
from bot.rehearsal.fakes.telegram_phone import TelegramPhone
from bot.rehearsal.fakes.world import Happening, Platform, Shown, World
from bot.rehearsal.fakes.zalo_bot import ZaloBotFake
from bot.rehearsal.fakes.zalo_bot_phone import ZaloBotPhone
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake, ZaloOARules
from bot.rehearsal.fakes.zalo_oa_phone import ZaloOAPhone

FREE_RATE = 30


class BenchControl(ControlApp):
    """The control addresses and the sums that a measurement asks for."""

    def _read(self, parts: list[str], query: dict[str, str]) -> Any:
        if parts != ["deliveries"]:
            return super()._read(parts, query)
        record = self._fakes.world.record
        shown = [e.detail for e in record.entries if e.kind is Happening.SHOWN and e.detail is not None]
        return _sums([one for one in shown if one.platform.value == query["platform"]], query.get("mark", ""))


def _sums(shown: list[Shown], mark: str) -> dict[str, Any]:
    times = sorted(one.at.timestamp() for one in shown)
    copies = Counter((one.chat_id, one.text) for one in shown)
    return {
        "shown": len(shown),
        "people": len({one.chat_id for one in shown}),
        "duplicate": sum(count - 1 for count in copies.values()),
        "first": times[0] if times else None,
        "last": times[-1] if times else None,
        "first_by_chat": first_by_chat(shown),
        "marked": {one.text: one.at.timestamp() for one in shown if mark and one.text.startswith(mark)},
    }


def first_by_chat(shown: list[Shown]) -> dict[str, float]:
    """When the first message came on each phone."""
    first: dict[str, float] = {}
    for one in shown:
        first.setdefault(one.chat_id, one.at.timestamp())
    return first


async def _serve(arguments: argparse.Namespace) -> None:
    world = World(seed=7)
    latency_s = arguments.latency_ms / 1000
    rate = arguments.rate
    paid = arguments.platform == Platform.TELEGRAM and rate > FREE_RATE
    rules = TelegramRules(
        rate_per_s=FREE_RATE if paid else max(1, int(rate)), paid_rate_per_s=max(1, int(rate))
    )
    if paid:
        rules = TelegramRules(
            rate_per_s=FREE_RATE, paid_rate_per_s=int(rate), star_balance=1e9, monthly_users=10**6
        )
    telegram = TelegramFake(world, rules=rules, latency_s=latency_s)
    zalo_oa = ZaloOAFake(world, rules=ZaloOARules(calls_per_minute=max(1, int(rate))), latency_s=latency_s)
    zalo_bot = ZaloBotFake(world, latency_s=latency_s)
    fake = {f.platform: f for f in (telegram, zalo_oa, zalo_bot)}[Platform(arguments.platform)]
    ids = [_open_for_messages(fake.add_person(f"n{n}")) for n in range(arguments.people)]
    extra = [_open_for_messages(telegram.add_person(f"b{n}")) for n in range(arguments.baseline_people)]
    arguments.ids.write_text(json.dumps({"people": ids, "baseline": extra}), "utf-8")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_fakes(
        world=world, telegram=telegram, zalo_oa=zalo_oa, zalo_bot=zalo_bot, wrap=BenchControl
    ) as fakes:
        sys.stdout.write(json.dumps(fakes.settings()) + "\n")
        sys.stdout.flush()
        await stop.wait()


def _open_for_messages(phone: Any) -> str:
    """As after a first message that was long since answered, without an update that waits to be fetched."""
    if isinstance(phone, TelegramPhone):
        phone.started = True
    elif isinstance(phone, ZaloBotPhone):
        phone.wrote = True
    elif isinstance(phone, ZaloOAPhone):
        phone.follows = True
        phone._interact("write")
    return str(phone.chat_id)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.bench.fakes_process", description=__doc__)
    parser.add_argument("--platform", choices=[p.value for p in Platform], required=True)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--baseline-people", type=int, default=0)
    parser.add_argument("--rate", type=float, required=True, help="per second; per minute for the OA")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--ids", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(_arguments()))

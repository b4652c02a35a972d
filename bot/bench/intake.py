"""Webhooks in, replies out: the whole system under a steady load of first messages, beside bare Rasa.

Every message comes from another person, so that each is a conversation of its own; one in fifty is sent twice, as
platforms do. A reply counts when it is on the fake platform's phone.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import numpy as np
from sqlalchemy import func, select

from bot.bench.delivery import Job, running_fake
from bot.rehearsal.ports import free_port
from bot.rehearsal.system import SystemUnderRehearsal
from bot.supervisor import ROOT
from core.settings import Settings
from storage.database import Database
from storage.models import Inbound

_SECRET = "bench-secret-1234"
_WORDS = "xin chào"
_EVERY_TWICE = 50
_PAID_RATE = 1000.0
_SETTLE_S = 60.0
_WARM_UP = 3
_BASELINE_MOST = 300
Say = Callable[[str], None]


@dataclass(slots=True)
class IntakeFigures:
    """Milliseconds; `throughput` is replies a second from the first message to the last reply."""

    rate: float
    sent: int
    lost: int
    duplicated: int
    ack_ms_p50: float
    ack_ms_p99: float
    reply_ms_p50: float | None
    reply_ms_p95: float | None
    throughput: float
    replied: int
    baseline: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The keys of the command."""
        return asdict(self)


def measure(*, rate: float, seconds: float, database_url: str, settings: Settings, say: Say) -> IntakeFigures:
    """Start everything, send, wait for the replies, then the baseline with the same model."""
    people = max(1, int(rate * seconds))
    with tempfile.TemporaryDirectory() as folder:
        job = Job(people, "telegram", _PAID_RATE, latency_ms=0.0)
        with running_fake(job, Path(folder), people=people + _WARM_UP, baseline_people=0) as (
            environment,
            ids,
        ):
            system = SystemUnderRehearsal(
                Path(folder) / "he-thong",
                environment={
                    **environment,
                    "NGHEDAN_TELEGRAM_WEBHOOK_SECRET": _SECRET,
                    "NGHEDAN_TELEGRAM_PAID_MESSAGES_PER_SECOND": str(int(_PAID_RATE)),
                    "NGHEDAN_ZALO_OA_APP_ID": "",
                    "NGHEDAN_ZALO_BOT_TOKEN": "",
                },
                database_url=database_url,
                models=settings.models_dir,
            )
            try:
                system.prepare(say=say)
                say("Khởi động hệ thống…")
                system.start()
                say(f"Gửi {people} tin, {rate:g} tin/giây…")
                base = environment["NGHEDAN_TELEGRAM_BASE_URL"]
                figures = _load(system, base, ids["people"], rate=rate, say=say)
            finally:
                system.stop()
    say("Mốc so sánh: Rasa với kênh REST có sẵn…")
    figures.baseline = _bare_rasa(rate=rate, count=min(people, _BASELINE_MOST))
    return figures


def _load(
    system: SystemUnderRehearsal, base: str, people: list[str], *, rate: float, say: Say
) -> IntakeFigures:
    # The first message of each program warms it up, as in the baseline.
    warm = people[-_WARM_UP:]
    people = people[:-_WARM_UP]
    asyncio.run(_post_all(system.url, warm, rate=1.0, first_number=0))
    _settled(base, len(warm))
    sent_at, acks = asyncio.run(_post_all(system.url, people, rate=rate, first_number=len(warm)))
    shown = _settled(base, len(people) + len(warm))
    database = Database(system.settings.resolved_database_url)
    try:
        with database.read() as session:
            stored = session.scalar(select(func.count()).select_from(Inbound)) or 0
            distinct = session.scalar(select(func.count(func.distinct(Inbound.external_id)))) or 0
            stored, distinct = stored - len(warm), distinct - len(warm)
    finally:
        database.dispose()
    waits = [1000 * (shown[chat] - at) for chat, at in sent_at.items() if chat in shown]
    last = max((at for chat, at in shown.items() if chat in sent_at), default=0.0)
    first = min(sent_at.values(), default=0.0)
    return IntakeFigures(
        rate,
        len(people),
        max(0, len(people) - distinct),
        stored - distinct,
        _part(acks, 50),
        _part(acks, 99),
        _part(waits, 50) if waits else None,
        _part(waits, 95) if waits else None,
        round(len(waits) / max(1e-9, last - first), 2) if waits else 0.0,
        len(waits),
    )


async def _post_all(
    url: str, people: list[str], *, rate: float, first_number: int
) -> tuple[dict[str, float], list[float]]:
    """When each person's message left, and the milliseconds until it was acknowledged."""
    sent_at: dict[str, float] = {}
    acks: list[float] = []

    async def post(client: aiohttp.ClientSession, number: int, chat: str) -> None:
        body = json.dumps(_update(number, chat))
        for copy in range(2 if number % _EVERY_TWICE == 0 else 1):
            started = time.perf_counter()
            if copy == 0:
                sent_at[chat] = time.time()
            async with client.post(f"{url}/webhooks/telegram", data=body) as response:
                await response.read()
                if response.status == 200:
                    acks.append(1000 * (time.perf_counter() - started))

    headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": _SECRET}
    async with aiohttp.ClientSession(headers=headers) as client:
        begun = asyncio.get_running_loop().time()
        tasks = []
        for number, chat in enumerate(people):
            await asyncio.sleep(max(0.0, begun + number / rate - asyncio.get_running_loop().time()))
            tasks.append(asyncio.create_task(post(client, first_number + number, chat)))
        await asyncio.gather(*tasks)
    return sent_at, acks


def _update(number: int, chat: str) -> dict[str, Any]:
    person = {"id": int(chat), "is_bot": False, "first_name": "n"}
    chat_ = {"id": int(chat), "type": "private", "first_name": "n"}
    message = {"message_id": 1, "date": int(time.time()), "chat": chat_, "from": person, "text": _WORDS}
    return {"update_id": 1_000 + number, "message": message}


def _settled(base: str, people: int) -> dict[str, float]:
    """First message on each phone, once everybody has one or nothing more comes."""
    found, moved = -1, time.monotonic()
    while True:
        query = {"platform": "telegram"}
        shown: dict[str, float] = httpx.get(f"{base}/_control/deliveries", params=query, timeout=60).json()[
            "first_by_chat"
        ]
        if len(shown) != found:
            found, moved = len(shown), time.monotonic()
        if found >= people or time.monotonic() - moved > _SETTLE_S:
            return shown
        time.sleep(0.5)


def _bare_rasa(*, rate: float, count: int) -> dict[str, Any]:
    """The same model behind Rasa's own REST channel, with an action server that does nothing."""
    rasa_port, actions_port = free_port(), free_port()
    # One embedding thread, as in our own processes.
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "NGHEDAN_ACTIONS_URL": f"http://127.0.0.1:{actions_port}",
    }
    python = ROOT / "nlu" / ".venv" / "bin" / "python"
    children = [
        subprocess.Popen([sys.executable, "-m", "bot.bench.bare_actions", str(actions_port)], cwd=ROOT),
        subprocess.Popen(
            [str(python), "nlu/serve.py", "--bare", "--port", str(rasa_port)],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{rasa_port}"
    try:
        if not _answers(url, within_s=180.0):
            return {"error": "did not start"}
        waits, seconds = asyncio.run(_ask_all(f"{url}/webhooks/rest/webhook", rate=rate, count=count))
    finally:
        for child in children:
            child.terminate()
            child.wait()
    return {
        "sent": count,
        "reply_ms_p50": _part(waits, 50),
        "reply_ms_p95": _part(waits, 95),
        "throughput": round(len(waits) / max(1e-9, seconds), 2),
    }


def _answers(url: str, *, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=2.0).status_code == 200:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    return False


async def _ask_all(url: str, *, rate: float, count: int) -> tuple[list[float], float]:
    waits: list[float] = []

    async def ask(client: aiohttp.ClientSession, number: int) -> None:
        started = time.perf_counter()
        async with client.post(url, json={"sender": f"p{number}", "message": _WORDS}) as response:
            if response.status == 200 and await response.json():
                waits.append(1000 * (time.perf_counter() - started))

    async with aiohttp.ClientSession() as client:
        await ask(client, -1)  # The first message warms the model up.
        waits.clear()
        begun = asyncio.get_running_loop().time()
        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - asyncio.get_running_loop().time()))
            tasks.append(asyncio.create_task(ask(client, number)))
        await asyncio.gather(*tasks)
        seconds = asyncio.get_running_loop().time() - begun
    return waits, seconds


def _part(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1) if values else 0.0

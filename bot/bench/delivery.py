"""How an announcement goes out: the real sender in a process of its own against a strict fake in another.

The ceiling is the platform's: messages a second, or API calls a minute on Zalo OA. Replies are written while the bulk
runs, as a turn would write them, and timed until they are on the phone. Killed senders are started again at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import func, insert, select

from bot.rehearsal.system import ScratchSchema
from bot.supervisor import ROOT
from core.broadcast import announce
from core.clock import utc_now
from core.outbox import queue
from core.people import units
from core.people.units import UnitFacts
from storage.database import Database
from storage.migrate import upgrade
from storage.models import Citizen, Contact, Lease, Outbound, OutboundKind, OutboundState

FREE_RATE = 30
_REPLY_MARK = "Trả lời thử "
_REPLY_PEOPLE = 40
_REPLY_EVERY_S = 0.5
_BASELINE_S, _BASELINE_MOST = 20, 2_000
_BATCH = 10_000
_OPEN = (OutboundState.QUEUED, OutboundState.SENDING, OutboundState.TEMPORARY_FAILURE)
_STALLED_S = 90.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What to measure; `rate` is messages a second, on Zalo OA API calls a minute."""

    recipients: int
    channel: str
    rate: float
    latency_ms: float
    kills: int = 0
    database_url: str = ""
    seed: int = 7

    @property
    def per_second(self) -> float:
        """The ceiling as messages a second."""
        return self.rate / 60 if self.channel == "zalo_oa" else self.rate

    @property
    def paid(self) -> bool:
        """Whether Telegram's free ceiling does not do."""
        return self.channel == "telegram" and self.rate > FREE_RATE


@dataclass(slots=True)
class DeliveryFigures:
    """`lost`: in no final state and on no phone; `unknown`: shown to staff as such; `violations`: limits broken.

    `cpu_s` and `peak_mb` are the sender's, its start (about 2 s) included.
    """

    recipients: int
    seconds: float
    rate: float
    ceiling: float
    ratio: float
    violations: int
    lost: int
    duplicate: int
    unknown: int
    reply_ms_p99_during: float | None
    cpu_s: float
    cpu_ms_per_message: float
    peak_mb: float
    kills: int
    rows_written_s: float
    first_message_s: float
    baseline: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The keys of the command."""
        return asdict(self)


def measure(job: Job, *, say: Say) -> DeliveryFigures:
    """Start the fake and the sender, announce, wait until every row has an end, then the baseline."""
    scratch = ScratchSchema(job.database_url) if job.database_url else None
    if scratch:
        scratch.create()
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = scratch.url if scratch else f"sqlite:///{Path(folder) / 'bench.db'}"
            return _measure(job, Path(folder), url, say=say)
    finally:
        if scratch:
            scratch.drop()


def _measure(job: Job, folder: Path, url: str, *, say: Say) -> DeliveryFigures:
    upgrade(url)
    people = job.recipients + _REPLY_PEOPLE
    extra = int(
        min(
            job.recipients,
            (job.rate if job.channel == "telegram" else FREE_RATE) * _BASELINE_S,
            _BASELINE_MOST,
        )
    )
    say(f"Mở kênh giả lập {job.channel} với {people} người…")
    with running_fake(job, folder, people=people, baseline_people=extra) as (settings, ids):
        database = Database(url)
        try:
            account = _account(job.channel, settings)
            _write_people(database, job.channel, account, ids["people"])
            base = settings["NGHEDAN_" + job.channel.upper() + "_BASE_URL"]
            environment = {
                **os.environ, **settings, "NGHEDAN_DATABASE_URL": url, "NGHEDAN_DATA_DIR": str(folder),
                "NGHEDAN_LOG_LEVEL": "ERROR",
                "NGHEDAN_ZALO_OA_MESSAGES_PER_MINUTE": str(max(1, int(job.rate))),
                "NGHEDAN_TELEGRAM_PAID_MESSAGES_PER_SECOND": str(int(job.rate) if job.paid else 0),
            }  # fmt: skip
            figures = _deliver(job, database, base, environment, say=say)
            telegram = settings["NGHEDAN_TELEGRAM_BASE_URL"]
            figures.baseline = _baseline(
                job, telegram, settings["NGHEDAN_TELEGRAM_TOKEN"], ids["baseline"], say=say
            )
            return figures
        finally:
            database.dispose()


@contextmanager
def running_fake(
    job: Job, folder: Path, *, people: int, baseline_people: int
) -> Iterator[tuple[dict[str, str], dict[str, list[str]]]]:
    """The fake in a process of its own, its people ready to be written to; yields its settings and their ids."""
    ids = folder / "ids.json"
    command = [
        sys.executable, "-m", "bot.bench.fakes_process", "--platform", job.channel, "--people", str(people),
        "--baseline-people", str(baseline_people), "--rate", str(job.rate), "--latency-ms", str(job.latency_ms),
        "--ids", str(ids),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the fake platform did not start")
        yield json.loads(line), json.loads(ids.read_text("utf-8"))
    finally:
        process.terminate()
        process.wait()


def _account(channel: str, settings: dict[str, str]) -> str:
    if channel == "zalo_oa":
        return settings["NGHEDAN_ZALO_OA_ID"]
    return settings[f"NGHEDAN_{channel.upper()}_TOKEN"].split(":")[0]


def _write_people(database: Database, channel: str, account: str, ids: Sequence[str]) -> None:
    now = utc_now()
    with database.write() as session:
        units.seed(session, [UnitFacts("15", "Tỉnh Lào Cai", "tinh", None)])
    for start in range(0, len(ids), _BATCH):
        part = list(enumerate(ids[start : start + _BATCH], start + 1))
        with database.write() as session:
            # The last ones only get replies.
            session.execute(
                insert(Citizen),
                [
                    {
                        "id": n, "consent": "granted", "unit_code": "15", "created_at": now,
                        "wants_announcements": n <= len(ids) - _REPLY_PEOPLE,
                    }
                    for n, _ in part
                ],
            )  # fmt: skip
            session.execute(
                insert(Contact),
                [
                    {
                        "id": n, "channel": channel, "account_id": account, "external_id": external_id,
                        "citizen_id": n, "dialogue": {}, "created_at": now, "last_inbound_at": now,
                    }
                    for n, external_id in part
                ],
            )  # fmt: skip


class _SenderProcess:
    """The sender under measurement and its violent deaths; resources are summed over its lives."""

    def __init__(self, channel: str, environment: dict[str, str]) -> None:
        self._command = [sys.executable, "-m", "bot.bench.sender_process", channel]
        self._environment = environment
        self.cpu_s = self.peak_mb = 0.0
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, cwd=ROOT, env=self._environment)

    def kill(self) -> None:
        """SIGKILL, and a new life."""
        self._end(signal.SIGKILL)
        self._process = self._start()

    def stop(self) -> None:
        """SIGTERM: what is in the air is written down."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        _, _, used = os.wait4(self._process.pid, 0)
        self._process.returncode = 0
        self.cpu_s += used.ru_utime + used.ru_stime
        self.peak_mb = max(self.peak_mb, used.ru_maxrss / 1024)


def _deliver(
    job: Job, database: Database, base: str, environment: dict[str, str], *, say: Say
) -> DeliveryFigures:
    sender = _SenderProcess(job.channel, environment)
    try:
        _wait_for_lease(database)
        begun = time.time()
        with database.write() as session:
            announce.start(
                session, unit_code="15", session_id=None, text="Thông báo thử của phép đo.",
                created_by="bench", now=utc_now(),
            )  # fmt: skip
        written_s = time.time() - begun
        say(f"Đã ghi {job.recipients} dòng trong {written_s:.1f} giây; đang gửi…")
        replies = _watch(job, database, sender, say=say)
    finally:
        sender.stop()
    sums = _deliveries(base, job.channel)
    states = _states(database)
    if not sums["shown"]:
        raise RuntimeError("nothing reached a phone")
    seconds = max(1e-9, sums["last"] - sums["first"])
    rate = (sums["shown"] - 1) / seconds
    waits = [1000 * (sums["marked"][text] - at) for text, at in replies.items() if text in sums["marked"]]
    unknown = states.get(OutboundState.UNKNOWN, 0)
    sent = sums["shown"]
    return DeliveryFigures(
        job.recipients,
        round(seconds, 3),
        round(rate, 2),
        round(job.per_second, 3),
        round(rate / job.per_second, 4),
        sums["violations"],
        max(0, sum(states.values()) - states.get(OutboundState.SENT, 0) - unknown),
        sums["duplicate"],
        unknown,
        round(float(np.percentile(waits, 99)), 1) if waits else None,
        round(sender.cpu_s, 2),
        round(1000 * sender.cpu_s / max(1, sent), 3),
        round(sender.peak_mb, 1),
        job.kills,
        round(written_s, 2),
        round(sums["first"] - begun, 2),
    )


def _wait_for_lease(database: Database) -> None:
    """The sender has loaded and is at work; what it needed until then belongs to no message."""
    for _ in range(300):
        with database.read() as session:
            if session.scalar(select(func.count()).select_from(Lease)):
                return
        time.sleep(0.1)
    raise RuntimeError("the sender did not start")


def _watch(job: Job, database: Database, sender: _SenderProcess, *, say: Say) -> dict[str, float]:
    """Write replies and kill senders until no row is open; returns when each reply was written."""
    expected_s = job.recipients / job.per_second
    chance = random.Random(job.seed)
    deaths = sorted(time.monotonic() + chance.uniform(0.5, max(1.0, expected_s)) for _ in range(job.kills))
    replies: dict[str, float] = {}
    left, moved_at, said_at = -1, time.monotonic(), 0.0
    while True:
        time.sleep(_REPLY_EVERY_S / 2)
        now = time.monotonic()
        while deaths and deaths[0] <= now:
            deaths.pop(0)
            sender.kill()
        count = _open_rows(database)
        if count == 0 and not deaths:
            return replies
        if count != left:
            left, moved_at = count, now
        elif now - moved_at > _STALLED_S:
            say(f"Không tiến thêm trong {_STALLED_S:.0f} giây, còn {left} dòng.")
            return replies
        if count and job.per_second >= 5:
            text = f"{_REPLY_MARK}{len(replies)}"
            _write_reply(database, job.recipients + 1 + len(replies) % _REPLY_PEOPLE, text)
            replies[text] = time.time()
        if now - said_at > 10:
            said_at = now
            say(f"Còn {count} dòng.")


def _write_reply(database: Database, contact_id: int, text: str) -> None:
    with database.write() as session:
        contact = session.get_one(Contact, contact_id)
        queue.enqueue(session, contact, kind=OutboundKind.REPLY, dedupe_key=text, text=text, now=utc_now())


def _open_rows(database: Database) -> int:
    with database.read() as session:
        query = select(func.count()).select_from(Outbound).where(Outbound.state.in_(_OPEN))
        return session.scalar(query) or 0


def _states(database: Database) -> dict[str, int]:
    with database.read() as session:
        return dict(
            session.execute(select(Outbound.state, func.count()).group_by(Outbound.state)).tuples().all()
        )


def _deliveries(base: str, channel: str) -> dict[str, Any]:
    control = f"{base}/_control"
    sums: dict[str, Any] = httpx.get(
        f"{control}/deliveries", params={"platform": channel, "mark": _REPLY_MARK}, timeout=60
    ).json()
    stats = httpx.get(f"{control}/stats", timeout=60).json()
    sums["violations"] = sum(stats[channel]["violations"].values())
    return sums


def _baseline(job: Job, base: str, token: str, chats: list[str], *, say: Say) -> dict[str, Any]:
    """python-telegram-bot on the Telegram fake, at the same ceiling where the channel is Telegram."""
    say(f"Mốc so sánh: python-telegram-bot với AIORateLimiter, {len(chats)} người…")
    before = _deliveries(base, "telegram")["violations"]
    rate = job.rate if job.channel == "telegram" else FREE_RATE
    given = {
        "token": token, "base_url": base, "chats": chats, "rate": rate, "paid": job.paid,
        "text": "Thông báo thử của phép đo.",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bot.bench.plain_sender"],
        cwd=ROOT, input=json.dumps(given), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        return {"method": "python-telegram-bot AIORateLimiter", "error": "did not run"}
    figures = json.loads(done.stdout)
    speed = figures["sent"] / max(1e-9, figures["seconds"])
    return {
        "method": "python-telegram-bot AIORateLimiter",
        "recipients": figures["recipients"],
        "sent": figures["sent"],
        "seconds": round(figures["seconds"], 3),
        "rate": round(speed, 2),
        "ceiling": rate,
        "ratio": round(speed / rate, 4),
        "violations": _deliveries(base, "telegram")["violations"] - before,
        "cpu_s": round(figures["cpu_s"], 2),
        "cpu_ms_per_message": round(1000 * figures["cpu_s"] / max(1, figures["recipients"]), 3),
    }

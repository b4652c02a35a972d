"""`python -m console.bench`: how fast the lists answer with many concerns, measured as the server's own time.

Fills an empty database with made-up concerns of 99 communes and asks every list page again and again, one request at
a time, through the whole application. The figures go to the standard output as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from console.access import COOKIE
from console.app import make_app
from console.desk import BASE
from core.fields.catalogue import fields
from core.people import signin
from core.settings import Settings
from core.text.normal import fold
from storage.database import Database
from storage.migrate import upgrade
from storage.models import (
    Citizen,
    Concern,
    ConcernState,
    Contact,
    DialogueSession,
    SessionState,
    StaffMember,
    StaffRole,
    Topic,
    TopicMember,
    Unit,
)

_COMMUNES = 99
_BATCH = 5_000
_WHAT = (
    "Đường vào thôn",
    "Nước sinh hoạt ở bản",
    "Rác ở chợ",
    "Điện sinh hoạt của tổ",
    "Nhà văn hóa thôn",
    "Kênh mương xóm",
)
_HOW = ("hỏng nặng", "yếu và đục", "không ai thu gom", "hay mất buổi tối", "dột nát", "bị sạt lở sau mưa lũ")
_PLEASE = (
    "đề nghị cấp trên sớm sửa chữa",
    "bà con mong được quan tâm",
    "kiến nghị xã kiểm tra",
    "xin cho biết bao giờ làm",
)
_PAGES = {
    "first page": "/concerns",
    "received": "/concerns?state=received",
    "doubtful first": "/concerns?order=doubtful",
    "one commune": "/concerns?unit=00042&state=received",
    "one field": "/concerns?field=giao_thong&order=oldest",
    "a week": "/concerns?since=2026-10-01&until=2026-10-07",
    "channel": "/concerns?channel=zalo_oa",
    "deep page": "/concerns?after=30000",
    "sessions": "/sessions",
    "announcements": "/announcements",
    "staff": "/staff",
    "home": "/",
    "dashboard": "/dashboard",
    "search, common words": "/concerns?q=duong+hong",
    "search, two words": "/concerns?q=kênh+mương+sạt",
    "search, rare word": "/concerns?q=thon+1234",
    "search, nothing": "/concerns?q=khongcogi",
    "search, code": "/concerns?q=LC-26-00777",
}
_NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m console.bench")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument(
        "--database", default="", help="URL of an empty database; SQLite in a new folder without one"
    )
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nghedan-bench-") as folder:
        settings = Settings(data_dir=Path(folder), database_url=given.database, _env_file=None)
        upgrade(settings.resolved_database_url)
        database = Database(settings.resolved_database_url)
        token = _fill(database, given.size)
        database.dispose()
        figures = asyncio.run(_measure(make_app(settings, now=lambda: _NOW), token, given.rounds))
    json.dump({"concerns": given.size, "pages": figures}, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def _fill(database: Database, size: int) -> str:
    with database.write() as session:
        session.add(Unit(code="15", name="Tỉnh Lào Cai", kind="tinh", parent_code=None, profile={}))
        session.flush()
        session.add_all(
            Unit(code=f"{n:05d}", name=f"Xã số {n}", kind="xa", parent_code="15", profile={})
            for n in range(1, _COMMUNES + 1)
        )
        member = StaffMember(
            login="bench", name="Đo tốc độ", role=StaffRole.QUAN_TRI, unit_code="15",
            password_hash=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"), created_at=_NOW,
        )  # fmt: skip
        session.add(member)
        dialogue = DialogueSession(
            unit_code="15", title="Phiên đo", held_at=_NOW + timedelta(days=20), created_at=_NOW,
            collects_until=_NOW + timedelta(days=10), state=SessionState.COLLECTING,
        )  # fmt: skip
        session.add(dialogue)
        session.flush()
        for start in range(0, size, _BATCH):
            _batch(session, range(start + 1, min(size, start + _BATCH) + 1), dialogue.id)
        token = signin.open_login(session, member, now=_NOW).token
    with database.engine.connect() as connection:
        # As autovacuum and SQLite's own optimiser do in daily life.
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return token


def _batch(session: Session, numbers: range, session_id: int) -> None:
    chance = random.Random(numbers.start)
    unit = {n: f"{chance.randint(1, _COMMUNES):05d}" for n in numbers}
    session.execute(
        insert(Citizen),
        [{"id": n, "consent": "granted", "unit_code": unit[n], "created_at": _NOW} for n in numbers],
    )
    channels = ("zalo_oa", "zalo_bot", "telegram")
    session.execute(
        insert(Contact),
        [
            {"id": n, "channel": channels[n % 3], "account_id": "a", "external_id": str(n), "citizen_id": n,
             "dialogue": {}, "created_at": _NOW}
            for n in numbers
        ],
    )  # fmt: skip
    session.execute(insert(Concern), list(_concerns(numbers, unit, session_id, chance)))
    session.execute(
        insert(Topic),
        [
            {
                "id": n,
                "session_id": session_id,
                "label": f"Nội dung {n}",
                "facts": {"rank": n},
                "created_at": _NOW,
            }
            for n in numbers
            if n % 200 == 1
        ],
    )
    session.execute(
        insert(TopicMember),
        [
            {"concern_id": n, "topic_id": n - (n - 1) % 200, "placed_by": "bench", "why": {}, "at": _NOW}
            for n in numbers
        ],
    )


def _concerns(
    numbers: range, unit: dict[int, str], session_id: int, chance: random.Random
) -> Iterator[dict[str, Any]]:
    states = (ConcernState.RECEIVED, ConcernState.RECEIVED, ConcernState.ANSWERED, ConcernState.ON_AGENDA)
    codes = [field.code for field in fields()]
    for n in numbers:
        words = f"{chance.choice(_WHAT)} {chance.randint(1, 3000)} {chance.choice(_HOW)}, {chance.choice(_PLEASE)}."
        at = _NOW - timedelta(minutes=chance.randint(0, 60 * 24 * 90))
        yield {
            "id": n, "code": f"LC-26-{n:05d}", "citizen_id": n, "contact_id": n, "unit_code": unit[n],
            "session_id": session_id, "state": chance.choice(states), "text": words, "folded": fold(words),
            "text_key": str(n), "field_code": chance.choice(codes), "field_confidence": chance.random(),
            "door": "normal", "door_reasons": [], "created_at": at, "submitted_at": at,
        }  # fmt: skip


async def _measure(app: FastAPI, token: str, rounds: int) -> dict[str, dict[str, float]]:
    outer = FastAPI()
    outer.mount(BASE, app)
    found: dict[str, dict[str, float]] = {}
    transport = httpx.ASGITransport(app=outer)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bench", cookies={COOKIE: token}
    ) as client:
        for name, path in _PAGES.items():
            times = []
            for _ in range(rounds + 3):
                start = time.perf_counter()
                answer = await client.get(f"{BASE}{path}")
                times.append((time.perf_counter() - start) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"{path}: {answer.status_code}")
            times = sorted(times[3:])
            found[name] = {
                "p50_ms": round(times[len(times) // 2], 1),
                "p95_ms": round(times[int(len(times) * 0.95) - 1], 1),
                "bytes": len(answer.content),
            }
    return found


if __name__ == "__main__":
    main()

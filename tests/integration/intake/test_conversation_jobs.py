"""Several programs on one PostgreSQL: each message is brought to one worker, in order, and none is forgotten."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from bot import conversation_jobs
from bot.conversation_jobs import ConversationJobs
from bot.intake import Intake
from core.intake.receive import Stored
from core.intake.turns import Conversation
from core.outbox.port import ChannelName, Incoming, IncomingKind
from storage.database import Database
from storage.migrate import upgrade
from storage.models import Inbound, InboundState
from tests.factories.databases import need_postgresql, postgresql_database

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
def shared() -> Iterator[Database]:
    need_postgresql()
    with postgresql_database() as url:
        upgrade(url)
        database = Database(url)
        conversation_jobs.ensure_schema(database)
        yield database
        database.dispose()


def _event(number: int, *, sender: str = "p", kind: IncomingKind = IncomingKind.TEXT) -> Incoming:
    return Incoming(ChannelName.TELEGRAM, "a", f"m{number}", kind, sender, NOW, f"câu {number}")


def _jobs(database: Database) -> int:
    with database.read() as session:
        return int(session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0)


class _Worker:
    """Marks a conversation's messages as answered, one by one, and remembers who did it."""

    def __init__(self, database: Database, name: str, seen: list[tuple[str, int]]) -> None:
        self.jobs = ConversationJobs(database)
        self.name = name
        self._database = database
        self._seen = seen
        self.busy: set[Conversation] = set()
        self.together = 0

    async def converse(self, conversation: Conversation) -> None:
        self.together += conversation in self.busy
        self.busy.add(conversation)
        await asyncio.sleep(0.002)
        await asyncio.to_thread(self._answer, conversation)
        self.busy.discard(conversation)

    def _answer(self, conversation: Conversation) -> None:
        with self._database.write() as session:
            ids = session.scalars(
                select(Inbound.id)
                .where(Inbound.sender_id == conversation.sender_id, Inbound.state == InboundState.RECEIVED)
                .order_by(Inbound.id)
            ).all()
            session.execute(update(Inbound).where(Inbound.id.in_(ids)).values(state=InboundState.DONE))
            self._seen.extend((self.name, number) for number in ids)

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.jobs.work(self.converse, name=self.name, concurrency=4))


async def _until(check: object, *, within_s: float) -> None:
    end = time.monotonic() + within_s
    while not await asyncio.to_thread(check):  # type: ignore[arg-type]
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_three_workers_share_and_each_message_is_seen_once_and_in_order(shared: Database) -> None:
    seen: list[tuple[str, int]] = []
    workers = [_Worker(shared, f"w{number}", seen) for number in range(3)]
    tasks = [worker.start() for worker in workers]
    await _until(lambda: _alive(shared) == 3, within_s=10)
    intake = Intake(shared, announce=ConversationJobs(shared).defer)
    chance = random.Random(3)
    events = [_event(number, sender=f"p{chance.randrange(25)}") for number in range(300)]
    await asyncio.gather(*(intake.receive([event]) for event in events))
    await _until(lambda: len(seen) >= 300 and _jobs(shared) == 0, within_s=20)
    await _stop(*tasks)
    with shared.read() as session:
        people = dict(session.execute(select(Inbound.id, Inbound.sender_id)).tuples().all())
    assert sorted(number for _, number in seen) == sorted(people)
    for person in set(people.values()):
        mine = [number for _, number in seen if people[number] == person]
        assert mine == sorted(mine)
    assert {name for name, _ in seen} == {"w0", "w1", "w2"}
    assert not any(worker.together for worker in workers)


def _alive(database: Database) -> int:
    with database.read() as session:
        return conversation_jobs.workers_alive(session)


async def test_a_refused_message_leaves_neither_row_nor_job(shared: Database) -> None:
    jobs = ConversationJobs(shared)

    def announce(session: Session, stored: Sequence[Stored]) -> None:
        jobs.defer(session, stored)
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        await Intake(shared, announce=announce).receive([_event(1)])
    with shared.read() as session:
        assert session.scalar(select(Inbound.id)) is None
    assert _jobs(shared) == 0


async def test_one_bad_request_does_not_refuse_the_others(shared: Database) -> None:
    def announce(_session: Session, stored: Sequence[Stored]) -> None:
        if any(one.sender_id == "bad" for one in stored):
            raise ValueError("refused")

    intake = Intake(shared, announce=announce)
    events = [_event(number, sender="bad" if number == 5 else "good") for number in range(12)]
    results = await asyncio.gather(*(intake.receive([e]) for e in events), return_exceptions=True)
    assert [number for number, result in enumerate(results) if result is not None] == [5]
    with shared.read() as session:
        assert set(session.scalars(select(Inbound.external_id))) == {f"m{n}" for n in range(12) if n != 5}


async def test_repeats_and_events_without_an_answer_make_no_job(shared: Database) -> None:
    intake = Intake(shared, announce=ConversationJobs(shared).defer)
    await intake.receive([_event(1), _event(2, kind=IncomingKind.IGNORED)])
    await intake.receive([_event(1)])
    assert _jobs(shared) == 1


async def test_the_job_of_a_dead_worker_is_taken_by_another(
    shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_jobs, "_DEAD_AFTER_S", 1.0)
    monkeypatch.setattr(conversation_jobs, "_HEARTBEAT_S", 0.2)
    await Intake(shared, announce=ConversationJobs(shared).defer).receive([_event(1)])
    with shared.write() as session:  # As a killed process leaves it: taken, and no sign of life since.
        session.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')")
        )
        session.execute(
            text(
                "UPDATE procrastinate_jobs SET status = 'doing',"
                " worker_id = (SELECT max(id) FROM procrastinate_workers)"
            )
        )
    seen: list[tuple[str, int]] = []
    task = _Worker(shared, "w", seen).start()
    await _until(lambda: bool(seen), within_s=10)
    await _stop(task)


def test_the_queue_of_another_version_is_replaced(shared: Database) -> None:
    with shared.write() as session:
        session.execute(text("COMMENT ON TABLE procrastinate_jobs IS '3.0.0'"))
        session.execute(text("DROP FUNCTION procrastinate_defer_jobs_v1"))
    conversation_jobs.ensure_schema(shared)
    with shared.write() as session:
        stored = [Stored(1, "telegram", "a", "p", waiting=True)]
        ConversationJobs(shared).defer(session, stored)
    assert _jobs(shared) == 1
    conversation_jobs.ensure_schema(shared)
    assert _jobs(shared) == 1

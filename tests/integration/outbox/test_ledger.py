"""Batched outcomes, rows that are put back, and the pace of a lane."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from bot.ledger import Ledger
from bot.pace import Pace
from core.outbox import queue
from core.outbox.port import NotDelivered, OutcomeUnknown, SendFailure
from core.outbox.queue import Outcome
from storage.database import Database
from storage.models import Attempt, Outbound, OutboundState
from tests.integration.outbox.test_states import NOW, claim, enqueue, make_contact, row


async def test_many_outcomes_are_durable_when_their_sends_return(database: Database) -> None:
    for name in ("sent", "refused", "silent"):
        enqueue(database, make_contact(database, name), name)
    claimed = {one.message.text: one for one in claim(database, now=NOW)}
    ledger = Ledger(database)

    await asyncio.gather(
        ledger.write(Outcome(claimed["sent"], NOW, external_id="m1")),
        ledger.write(Outcome(claimed["refused"], NOW, error=NotDelivered(SendFailure.REJECTED, "no"))),
        ledger.write(Outcome(claimed["silent"], NOW, error=OutcomeUnknown("no answer"))),
    )

    assert (row(database, "sent").state, row(database, "sent").external_id) == (OutboundState.SENT, "m1")
    assert row(database, "refused").state == OutboundState.TECHNICAL_FAILURE
    assert row(database, "silent").state == OutboundState.UNKNOWN
    with database.read() as session:
        assert session.scalar(select(func.count()).where(Attempt.finished_at.is_(None))) == 0
    await ledger.close()


def test_what_was_claimed_and_never_sent_goes_out_later(database: Database) -> None:
    enqueue(database, make_contact(database, "a"), "one")
    claimed = claim(database, now=NOW)
    with database.write() as session:
        queue.put_back(session, claimed)
        queue.put_back(session, [])

    assert row(database, "one").state == OutboundState.QUEUED
    assert row(database, "one").attempts == 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0
        assert session.scalar(select(func.count()).select_from(Outbound)) == 1
    assert [one.message.text for one in claim(database, now=NOW)] == ["one"]


async def test_no_second_holds_more_than_the_ceiling(database: Database) -> None:
    loop, pace = asyncio.get_running_loop(), Pace(40.0)
    passes: list[float] = []
    for number in range(90):
        await pace.wait()
        passes.append(loop.time())
        if number == 30:
            await asyncio.sleep(0.3)  # A lane that was held up must not make up for it in a rush.
    assert all(later - earlier >= 1.0 for earlier, later in zip(passes, passes[40:], strict=False))

"""What waited for a person's next message goes in one, newest first, and each part keeps its own outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.outbox import queue, receipts
from core.outbox.port import Choice, NotDelivered, SendFailure
from core.outbox.queue import Claimed
from storage.database import Database
from storage.models import Contact, OutboundKind, OutboundState
from tests.factories.databases import empty
from tests.integration.outbox.test_states import NOW, claim, make_contact, row


def waiting(database: Database, *texts: str, choices: tuple[Choice, ...] = ()) -> int:
    """A contact for whom these texts wait; the last one offers the choices."""
    contact_id = make_contact(database, f"người {texts[0][:10]}")
    with database.write() as session:
        contact = session.get_one(Contact, contact_id)
        contact.reachable = False
        for number, text in enumerate(texts):
            queue.enqueue(
                session,
                contact,
                kind=OutboundKind.ANSWER,
                dedupe_key=f"a{number}",
                text=text,
                choices=choices if number == len(texts) - 1 else (),
                now=NOW,
            )
        contact.reachable = True
    return contact_id


def they_write(database: Database, contact_id: int) -> None:
    with database.write() as session:
        queue.release_waiting(session, contact_id, now=NOW)


def all_claimed(database: Database) -> list[Claimed]:
    """Everything that goes out, in order, each sent."""
    sent: list[Claimed] = []
    while taken := claim(database, now=NOW):
        with database.write() as session:
            for one in taken:
                queue.record_sent(session, one, external_id=f"x{one.attempt_id}", now=NOW)
        sent += taken
    return sent


def test_one_message_goes_as_it_is(database: Database) -> None:
    they_write(database, waiting(database, "Trả lời một"))
    assert [one.message.text for one in all_claimed(database)] == ["Trả lời một"]


def test_several_are_one_newest_first_with_the_offered_choices(database: Database) -> None:
    choices = (Choice("Đã rõ", "feedback:clear:1"), Choice("Chưa rõ", "feedback:unclear:1"))
    they_write(database, waiting(database, "Trả lời cũ", "Trả lời mới", choices=choices))
    (sent,) = all_claimed(database)

    assert sent.message.text.index("Trả lời mới") < sent.message.text.index("Trả lời cũ")
    assert sent.message.text.endswith("1. Đã rõ\n2. Chưa rõ")
    assert sent.message.text.count("1. Đã rõ") == 1
    assert [choice.value for choice in sent.message.choices] == ["feedback:clear:1", "feedback:unclear:1"]
    for key in ("a0", "a1"):
        assert (row(database, key).state, row(database, key).sent_at) == (OutboundState.SENT, NOW)


def test_receipts_of_the_one_message_count_for_all_in_it(database: Database) -> None:
    contact_id = waiting(database, "một", "hai")
    they_write(database, contact_id)
    (sent,) = all_claimed(database)
    with database.write() as session:
        contact = session.get_one(Contact, contact_id)
        receipts.apply_seen(session, contact, [f"x{sent.attempt_id}"], at=NOW + timedelta(minutes=1))
    assert row(database, "a0").seen_at == row(database, "a1").seen_at == NOW + timedelta(minutes=1)


def test_a_closed_window_makes_all_wait_again_and_the_next_message_brings_them(database: Database) -> None:
    contact_id = waiting(database, "một", "hai")
    they_write(database, contact_id)
    (one,) = claim(database, now=NOW)
    with database.write() as session:
        error = NotDelivered(SendFailure.WINDOW_CLOSED, "closed")
        queue.record_failure(session, one, error=error, now=NOW)
    assert {row(database, key).state for key in ("a0", "a1")} == {OutboundState.WAITING_FOR_CONTACT}
    with database.write() as session:
        queue.release_waiting(session, contact_id, now=NOW + timedelta(hours=1))
    with database.write() as session:
        (again,) = queue.claim_due(
            session, channel="zalo_oa", account_id="oa", holder="s", limit=5, now=NOW + timedelta(hours=1)
        )
    assert "một" in again.message.text
    assert "hai" in again.message.text


@pytest.mark.parametrize("how", ["no answer", "died"])
def test_an_unknown_digest_leaves_all_of_it_unknown_until_an_echo(database: Database, how: str) -> None:
    contact_id = waiting(database, "một", "hai")
    they_write(database, contact_id)
    (one,) = claim(database, now=NOW)
    with database.write() as session:
        if how == "died":
            queue.mark_orphans_unknown(session, channel="zalo_oa", account_id="oa", now=NOW)
        else:
            queue.record_unknown(session, one, detail="no answer", now=NOW)
    assert row(database, "a0").state == OutboundState.UNKNOWN
    with database.write() as session:
        contact = session.get_one(Contact, contact_id)
        assert receipts.apply_echo(session, contact, external_ids=["m9"], text=one.message.text, at=NOW)
    assert (row(database, "a0").state, row(database, "a1").external_id) == (OutboundState.SENT, "m9")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 2_000), min_size=1, max_size=12))
def test_nothing_is_lost_or_said_twice_and_no_page_is_too_long(
    database: Database, lengths: list[int]
) -> None:
    empty(database)
    marks = [f"#{number}#" for number in range(len(lengths))]
    texts = [mark + "x" * max(0, length - len(mark)) for mark, length in zip(marks, lengths, strict=True)]
    they_write(database, waiting(database, *texts))
    sent = all_claimed(database)

    said = "\n".join(one.message.text for one in sent)
    assert all(len(one.message.text) <= queue.TEXT_LIMIT for one in sent)
    assert [said.count(mark) for mark in marks] == [1] * len(marks)
    assert {row(database, f"a{number}").state for number in range(len(texts))} == {OutboundState.SENT}

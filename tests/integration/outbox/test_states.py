"""Outbound rows under every order of events: never sent twice, nothing lost, order kept, receipts late or twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from core.outbox import lease, queue, receipts
from core.outbox.port import ChannelName, NotDelivered, SendFailure
from core.outbox.queue import Claimed
from core.people import contacts
from storage.database import Database
from storage.models import Attempt, Contact, Outbound, OutboundKind, OutboundState
from tests.factories.databases import empty

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
ACCOUNT = "oa"
_OPEN = (OutboundState.QUEUED, OutboundState.SENDING, OutboundState.TEMPORARY_FAILURE)


def make_contact(database: Database, name: str) -> int:
    with database.write() as session:
        contact = contacts.find_or_make(
            session, channel=ChannelName.ZALO_OA, account_id=ACCOUNT, external_id=name, now=NOW
        )
        session.flush()
        return contact.id


def enqueue(
    database: Database, contact_id: int, key: str, *, kind: OutboundKind = OutboundKind.REPLY, text: str = ""
) -> None:
    with database.write() as session:
        contact = session.get_one(Contact, contact_id)
        queue.enqueue(session, contact, kind=kind, dedupe_key=key, text=text or key, now=NOW)


def claim(database: Database, *, now: datetime, limit: int = 5) -> list[Claimed]:
    with database.write() as session:
        return queue.claim_due(
            session, channel=ChannelName.ZALO_OA, account_id=ACCOUNT, holder="s", limit=limit, now=now
        )


def row(database: Database, key: str) -> Outbound:
    with database.read() as session:
        return session.scalars(select(Outbound).where(Outbound.dedupe_key == key)).one()


@dataclass
class _Phone:
    """What certainly or perhaps reached the platform: outbound id → how often it was handed over."""

    handed_over: dict[int, int] = field(default_factory=dict)
    certain: set[int] = field(default_factory=set)
    read: Counter[str] = field(default_factory=Counter)


class Deliveries(RuleBasedStateMachine):
    """The queue against a model: a platform that takes, refuses or says nothing, and a sender that dies."""

    database: Database
    claimed = Bundle("claimed")

    @initialize()
    def begin(self) -> None:
        empty(self.database)
        self.now = NOW
        self.numbers = count(1)
        self.people = [make_contact(self.database, name) for name in ("a", "b")]
        self.phone = _Phone()
        self.in_hand: dict[int, Claimed] = {}

    @rule(person=st.integers(0, 1), kind=st.sampled_from([OutboundKind.REPLY, OutboundKind.ANNOUNCEMENT]))
    def write(self, person: int, kind: OutboundKind) -> None:
        enqueue(self.database, self.people[person], f"k{next(self.numbers)}", kind=kind)

    @rule(target=claimed, limit=st.integers(1, 4))
    def take(self, limit: int) -> Any:
        taken = claim(self.database, now=self.now, limit=limit)
        for one in taken:
            assert one.message.delivery_id not in self.phone.handed_over
            self.in_hand[one.attempt_id] = one
        return multiple(*taken)

    @rule(one=claimed)
    def platform_takes_it(self, one: Claimed) -> None:
        if self._still_in_hand(one):
            self._hand_over(one, certain=True)
            with self.database.write() as session:
                queue.record_sent(session, one, external_id=f"x{one.attempt_id}", now=self.now)

    @rule(one=claimed)
    def platform_says_nothing(self, one: Claimed) -> None:
        if self._still_in_hand(one):
            self._hand_over(one, certain=False)
            with self.database.write() as session:
                queue.record_unknown(session, one, detail="no answer", now=self.now)

    @rule(one=claimed, failure=st.sampled_from(list(SendFailure)))
    def platform_refuses(self, one: Claimed, failure: SendFailure) -> None:
        if self._still_in_hand(one):
            with self.database.write() as session:
                error = NotDelivered(failure, "refused", retry_after_s=3.0)
                queue.record_failure(session, one, error=error, now=self.now)

    @precondition(lambda self: self.in_hand)
    @rule(handed=st.booleans())
    def the_sender_dies_and_another_takes_over(self, handed: bool) -> None:
        for one in list(self.in_hand.values()):
            if handed:
                self._hand_over(one, certain=False)
            else:
                self.phone.handed_over.setdefault(one.message.delivery_id, 0)
        self.in_hand.clear()
        with self.database.write() as session:
            queue.mark_orphans_unknown(session, channel=ChannelName.ZALO_OA, account_id=ACCOUNT, now=self.now)

    @rule(person=st.integers(0, 1))
    def the_person_writes(self, person: int) -> None:
        with self.database.write() as session:
            session.get_one(Contact, self.people[person]).reachable = True
            queue.release_waiting(session, self.people[person], now=self.now)

    @rule(number=st.integers(1, 12), seen=st.booleans())
    def a_receipt_comes(self, number: int, seen: bool) -> None:
        apply = receipts.apply_seen if seen else receipts.apply_delivered
        with self.database.write() as session:
            contact = session.get_one(Contact, self.people[0])
            apply(session, contact, [f"x{number}"], at=self.now)

    @rule(key=st.integers(1, 12), person=st.integers(0, 1))
    def an_echo_comes(self, key: int, person: int) -> None:
        with self.database.write() as session:
            contact = session.get_one(Contact, self.people[person])
            receipts.apply_echo(session, contact, external_ids=[f"e{key}"], text=f"k{key}", at=self.now)

    @rule(seconds=st.sampled_from([0, 2, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def _still_in_hand(self, one: Claimed) -> bool:
        return self.in_hand.pop(one.attempt_id, None) is not None

    def _hand_over(self, one: Claimed, *, certain: bool) -> None:
        delivery = one.message.delivery_id
        self.phone.handed_over[delivery] = self.phone.handed_over.get(delivery, 0) + 1
        self.phone.read.update(re.findall(r"\bk\d+\b", one.message.text))
        if certain:
            self.phone.certain.add(delivery)

    @invariant()
    def nothing_reaches_a_phone_twice(self) -> None:
        if hasattr(self, "phone"):
            assert all(times <= 1 for times in self.phone.handed_over.values())
            assert all(times <= 1 for times in self.phone.read.values()), "in a digest and by itself"

    @invariant()
    def what_was_taken_stays_sent_and_the_rest_is_accounted_for(self) -> None:
        if not hasattr(self, "phone"):
            return
        with self.database.read() as session:
            rows = {r.id: r for r in session.scalars(select(Outbound))}
            open_attempts = session.scalar(select(func.count()).where(Attempt.finished_at.is_(None)))
        assert all(rows[i].state == OutboundState.SENT for i in self.phone.certain)
        assert all(rows[i].state not in _OPEN for i in self.phone.handed_over)
        assert open_attempts == len(self.in_hand)
        digests = {i: r for i, r in rows.items() if r.kind == OutboundKind.DIGEST}
        for merged in (r for r in rows.values() if r.merged_into is not None):
            carrier = digests[merged.merged_into]
            under_way = not OutboundState(carrier.state).final
            assert merged.state == (OutboundState.MERGED if under_way else carrier.state)
        sending = {i for i, r in rows.items() if r.state == OutboundState.SENDING}
        assert sending == {one.message.delivery_id for one in self.in_hand.values()}

    @invariant()
    def one_conversation_has_one_message_of_a_kind_under_way(self) -> None:
        if not hasattr(self, "phone"):
            return
        with self.database.read() as session:
            under_way = session.execute(
                select(Outbound.contact_id, Outbound.priority, func.count())
                .where(Outbound.state == OutboundState.SENDING)
                .group_by(Outbound.contact_id, Outbound.priority)
            ).all()
        assert all(number == 1 for _, _, number in under_way)


def test_no_order_of_events_sends_twice_or_loses_a_row(
    backend: str, migrated: Callable[[str], Database]
) -> None:
    class On(Deliveries):
        database = migrated(backend)

    examples = 40 if backend == "sqlite" else 15
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        On, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None)
    )
    empty(On.database)


def test_replies_go_before_announcements(database: Database) -> None:
    first, second = make_contact(database, "a"), make_contact(database, "b")
    enqueue(database, first, "news", kind=OutboundKind.ANNOUNCEMENT)
    enqueue(database, second, "reply")
    assert [one.message.text for one in claim(database, now=NOW, limit=1)] == ["reply"]


def test_the_same_cause_cannot_speak_twice(database: Database) -> None:
    from sqlalchemy.exc import IntegrityError

    contact = make_contact(database, "a")
    enqueue(database, contact, "reply:1:0")
    with pytest.raises(IntegrityError):
        enqueue(database, contact, "reply:1:0")


def test_a_long_text_is_several_rows_in_order_and_loses_nothing(database: Database) -> None:
    contact = make_contact(database, "a")
    text = " ".join(f"từ{number}" for number in range(1500))
    enqueue(database, contact, "long", text=text)
    said = []
    while taken := claim(database, now=NOW):
        (one,) = taken
        said.append(one.message.text)
        with database.write() as session:
            queue.record_sent(session, one, external_id=str(one.attempt_id), now=NOW)
    assert all(len(part) <= queue.TEXT_LIMIT for part in said)
    assert " ".join(said).split() == text.split()


def test_a_blocked_person_is_not_written_to_until_they_come_back(database: Database) -> None:
    contact = make_contact(database, "a")
    enqueue(database, contact, "one")
    (one,) = claim(database, now=NOW)
    with database.write() as session:
        queue.record_failure(session, one, error=NotDelivered(SendFailure.RECIPIENT_GONE, "gone"), now=NOW)
    enqueue(database, contact, "two")
    assert row(database, "two").state == OutboundState.WAITING_FOR_CONTACT
    assert claim(database, now=NOW) == []
    with database.write() as session:
        queue.release_waiting(session, contact, now=NOW)
    assert [o.message.text for o in claim(database, now=NOW)] == ["two"]


def test_an_echo_tells_what_became_of_an_unanswered_send(database: Database) -> None:
    contact_id = make_contact(database, "a")
    enqueue(database, contact_id, "one")
    (one,) = claim(database, now=NOW)
    with database.write() as session:
        queue.record_unknown(session, one, detail="no answer", now=NOW)
    with database.write() as session:
        contact = session.get_one(Contact, contact_id)
        for _ in range(2):  # twice, as platforms do
            receipts.apply_echo(session, contact, external_ids=["m1"], text="one", at=NOW)
    assert (row(database, "one").state, row(database, "one").external_id) == (OutboundState.SENT, "m1")


def test_a_temporary_failure_backs_off_and_gives_up_in_the_end(database: Database) -> None:
    contact = make_contact(database, "a")
    enqueue(database, contact, "one")
    now, waits = NOW, []
    while taken := claim(database, now=now):
        with database.write() as session:
            error = NotDelivered(SendFailure.TEMPORARY, "later")
            queue.record_failure(session, taken[0], error=error, now=now)
        waits.append((row(database, "one").due_at - now).total_seconds())
        now = max(now, row(database, "one").due_at)
    assert row(database, "one").state == OutboundState.TECHNICAL_FAILURE
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(waits) <= 300.0


def test_a_lease_has_one_holder_and_passes_on_when_it_runs_out(database: Database) -> None:
    def acquire(holder: str, now: datetime) -> bool:
        with database.write() as session:
            return lease.acquire(session, "sender:oa", holder=holder, ttl_s=12, now=now)

    assert acquire("first", NOW)
    assert acquire("first", NOW + timedelta(seconds=4))
    assert not acquire("second", NOW + timedelta(seconds=8))
    assert acquire("second", NOW + timedelta(seconds=17))
    assert not acquire("first", NOW + timedelta(seconds=18))
    with database.write() as session:
        lease.release(session, "sender:oa", holder="second")
    assert acquire("first", NOW + timedelta(seconds=19))

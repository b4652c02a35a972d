"""One message at a time per conversation, in order, answered exactly once, whoever does it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from core.intake import turns
from core.intake.turn import Reply
from core.intake.turns import ClaimedTurn
from core.outbox.port import Choice, IncomingKind
from storage.models import Contact, Inbound, Outbound
from tests.factories.records import Commune, Person


def _finish(commune: Commune, turn: ClaimedTurn, *texts: str) -> None:
    with commune.database.write() as session:
        turns.finish(session, turn, [Reply(t) for t in texts], intent="x", now=commune.clock.at)


def _postpone(commune: Commune, turn: ClaimedTurn) -> None:
    with commune.database.write() as session:
        turns.postpone(session, turn, now=commune.clock.at)


def _replies(person: Person) -> list[str]:
    return [row.text for row in person.heard()]


def test_messages_are_taken_in_the_order_they_were_written(commune: Commune) -> None:
    person = commune.newcomer()
    for text in ("một", "hai", "ba"):
        person.write(text)
        commune.clock.pass_by(seconds=1)
    seen = []
    while turn := person.claim():
        seen.append(turn.text)
        _finish(commune, turn)
    assert seen == ["một", "hai", "ba"]


def test_a_late_message_with_an_earlier_time_goes_first(commune: Commune) -> None:
    person = commune.newcomer()
    commune.clock.pass_by(minutes=1)
    person.write("sau")
    commune.clock.pass_by(minutes=-1)
    person.write("trước")
    commune.clock.pass_by(minutes=2)
    turn = person.claim()
    assert turn is not None
    assert turn.text == "trước"


def test_nobody_else_gets_the_conversation_until_it_is_finished_or_the_lease_ends(commune: Commune) -> None:
    person = commune.newcomer()
    person.write("một")
    person.write("hai")
    first = person.claim(holder="A")
    assert first is not None
    assert person.claim(holder="B") is None
    commune.clock.pass_by(seconds=turns.LEASE_S + 1)
    second = person.claim(holder="B")
    assert second is not None
    assert second.inbound_id == first.inbound_id
    _finish(commune, second, "của B")
    _finish(commune, first, "của A")
    assert _replies(person) == ["của B"]


def test_finishing_twice_says_it_once(commune: Commune) -> None:
    person = commune.newcomer()
    person.write("một")
    turn = person.claim()
    assert turn is not None
    _finish(commune, turn, "dạ")
    _finish(commune, turn, "dạ")
    assert _replies(person) == ["dạ"]


def test_workers_at_the_same_time_answer_every_message_once_and_in_order(commune: Commune) -> None:
    people = [commune.newcomer() for _ in range(3)]
    for number in range(4):
        for person in people:
            person.write(f"tin {number}")
        commune.clock.pass_by(seconds=1)

    def work(worker: int) -> None:
        for _ in range(20):
            for person in people:
                turn = person.claim(holder=f"thợ {worker}")
                if turn is not None:
                    _finish(commune, turn, f"trả lời {turn.text}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    for person in people:
        assert _replies(person) == [f"trả lời tin {number}" for number in range(4)]


def test_two_workers_that_finish_the_same_turn_at_once_write_one_reply(commune: Commune) -> None:
    for _ in range(5):
        person = commune.newcomer()
        person.write("một")
        turn = person.claim()
        assert turn is not None
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n, t=turn: _finish(commune, t, f"dạ {n}"), range(4)))
        assert len(_replies(person)) == 1


def test_a_postponed_turn_tells_once_and_comes_back(commune: Commune) -> None:
    person = commune.newcomer()
    person.write("một")
    for _ in range(3):
        turn = person.claim()
        assert turn is not None
        _postpone(commune, turn)
        assert person.claim() is None
        commune.clock.pass_by(minutes=3)
    assert Counter(row.dedupe_key.split(":")[0] for row in person.heard()) == {"later": 1}
    turn = person.claim()
    assert turn is not None
    assert (turn.attempts, turn.delay_told) == (4, True)
    _finish(commune, turn, "xong")
    assert _replies(person)[-1] == "xong"


def test_a_slow_worker_cannot_postpone_what_another_has_finished(commune: Commune) -> None:
    person = commune.newcomer()
    person.write("một")
    slow = person.claim(holder="A")
    commune.clock.pass_by(seconds=turns.LEASE_S + 1)
    quick = person.claim(holder="B")
    assert slow is not None
    assert quick is not None
    _finish(commune, quick, "xong")
    _postpone(commune, slow)
    assert _replies(person) == ["xong"]


def test_after_an_hour_of_failures_the_words_are_kept_for_staff(commune: Commune) -> None:
    person = commune.newcomer()
    person.write("việc quan trọng")
    for _ in range(40):
        turn = person.claim()
        assert turn is not None
        _postpone(commune, turn)
        commune.clock.pass_by(minutes=3)
    assert person.claim() is None
    with commune.database.read() as session:
        row = session.scalars(select(Inbound)).one()
        assert (row.state, row.text) == ("failed", "việc quan trọng")


def test_a_repeated_turn_takes_the_way_of_the_first(commune: Commune) -> None:
    """The dialogue may have moved on between two tries; the message must still mean what it meant."""
    person = commune.newcomer()
    person.write("1")
    with commune.database.write() as session:
        contact = session.scalars(select(Contact)).one_or_none()
        assert contact is None
    first = person.claim()
    assert first is not None
    _postpone(commune, first)
    with commune.database.write() as session:
        contact = session.scalars(select(Contact)).one()
        contact.dialogue = {"choices": [["Tôi đồng ý", "consent:yes"]]}
    commune.clock.pass_by(minutes=1)
    again = person.claim()
    assert again is not None
    assert (again.resolved, again.snapshot) == (first.resolved, first.snapshot)


def test_receipts_and_leaving_need_no_answer(commune: Commune) -> None:
    person = commune.person()
    person.write(None, kind=IncomingKind.SEEN, refers_to=("không-có",))
    person.write(None, kind=IncomingKind.UNFOLLOWED)
    assert person.claim() is None
    with commune.database.read() as session:
        contact = session.scalars(select(Contact)).one()
        assert contact.reachable is False
        assert set(session.scalars(select(Inbound.state))) == {"done"}


def test_a_clerk_who_answers_by_hand_is_not_talked_over(commune: Commune) -> None:
    person = commune.person()
    from core.intake import receive
    from core.outbox.port import Incoming

    echo = Incoming(
        person.channel,
        "test",
        "e1",
        IncomingKind.ECHO,
        person.external_id,
        commune.clock.at,
        "dạ",
        human=True,
    )
    with commune.database.write() as session:
        receive.store(session, [echo], now=commune.clock.at)
    assert person.claim() is None
    person.write("cảm ơn cán bộ")
    assert person.claim() is None
    commune.clock.pass_by(hours=5)
    person.write("đường hỏng")
    turn = person.claim()
    assert turn is not None
    assert turn.text == "đường hỏng"


def test_writing_again_makes_reachable_and_frees_what_waited(commune: Commune) -> None:
    person = commune.person()
    person.write(None, kind=IncomingKind.UNFOLLOWED)
    person.claim()
    with commune.database.write() as session:
        row = session.scalars(select(Outbound)).first()
        assert row is not None
        row.state = "waiting_for_contact"
    person.write("tôi đây")
    assert person.claim() is not None
    with commune.database.read() as session:
        assert session.get_one(Outbound, row.id).state == "queued"
        assert session.scalars(select(Contact)).one().reachable is True


@pytest.mark.parametrize("count", [1, 7])
def test_backlog_lists_each_conversation_once_oldest_first(commune: Commune, count: int) -> None:
    people = [commune.newcomer() for _ in range(count)]
    for _ in range(2):
        for person in people:
            person.write("x")
    with commune.database.read() as session:
        found = turns.backlog(session, now=commune.clock.at, limit=100)
        assert found == [person.conversation for person in people]
        assert turns.backlog(session, now=commune.clock.at, limit=3) == found[:3]


def test_long_replies_become_several_rows_with_choices_under_the_last(commune: Commune) -> None:
    person = commune.newcomer()
    person.write("một")
    turn = person.claim()
    assert turn is not None
    with commune.database.write() as session:
        reply = Reply("câu dài. " * 600, (Choice("Có", "y:1"),))
        turns.finish(session, turn, [reply], intent=None, now=commune.clock.at)
    rows = person.heard()
    assert len(rows) > 1
    assert all(len(row.text) <= 2000 for row in rows)
    assert [row.choices for row in rows[:-1]] == [[]] * (len(rows) - 1)
    assert rows[-1].choices == [["Có", "y:1"]]

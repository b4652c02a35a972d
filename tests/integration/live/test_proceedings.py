"""The items of a session under every order of steps: one at a time, nothing lost, every step can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from core.agenda import build, versions
from core.live import proceedings
from core.live.proceedings import Entry, LiveError, Proceedings
from core.sessions import lifecycle
from core.topics.store import regroup
from storage.database import Database
from storage.models import Answer, LiveState, Outbound
from tests.factories.databases import empty
from tests.factories.many import many_concerns
from tests.factories.records import Commune

ENDS = [LiveState.ANSWERED, LiveState.WRITTEN, LiveState.SKIPPED]


def held(commune: Commune, *, concerns: int = 12) -> int:
    """A session with an approved agenda."""
    session_id = commune.collecting()
    many_concerns(commune, concerns, session_id=session_id)
    now = commune.clock.at
    with commune.database.write() as session:
        lifecycle.close(session, session_id)
        regroup(session, session_id=session_id, placed_by="t", now=now)
        made = build.save(session, session_id=session_id, created_by="t", now=now)
        versions.approve(session, session_id=session_id, version=made.version, by="t", now=now)
    return session_id


def goes(commune: Commune, session_id: int) -> Proceedings:
    with commune.database.read() as session:
        found = proceedings.read(session, session_id)
    assert found is not None
    return found


def begin(commune: Commune, session_id: int, key: str) -> None:
    with commune.database.write() as session:
        proceedings.begin(session, session_id, key, by="t", now=commune.clock.at)


def finish(commune: Commune, session_id: int, key: str, state: LiveState, **more: Any) -> None:
    said = {"note": "Xã đã giao phòng Kinh tế.", "unit": "Phòng Kinh tế", **more}
    with commune.database.write() as session:
        proceedings.finish(session, session_id, key, state, by="t", now=commune.clock.at, **said)


def test_the_next_item_follows_and_what_was_said_is_kept(commune: Commune) -> None:
    session_id = held(commune)
    first, second, *_ = goes(commune, session_id).entries
    begin(commune, session_id, first.item.key)
    due = date(2026, 12, 20)
    finish(commune, session_id, first.item.key, LiveState.WRITTEN, speaker="Bà Mẩy", due_on=due)
    now = goes(commune, session_id)

    assert now.current is not None
    assert now.current.item.key == second.item.key
    assert [(e.speaker, e.unit, e.due_on) for e in now.owed] == [("Bà Mẩy", "Phòng Kinh tế", due)]


@pytest.mark.parametrize(
    ("state", "more", "code"),
    [
        (LiveState.ANSWERED, {"note": " "}, "no_note"),
        (LiveState.WRITTEN, {"unit": ""}, "no_unit"),
        (LiveState.NOW, {}, "unknown_item"),
    ],
)
def test_an_end_without_what_it_needs_is_refused(
    commune: Commune, state: LiveState, more: dict[str, str], code: str
) -> None:
    session_id = held(commune)
    key = goes(commune, session_id).entries[0].item.key
    with pytest.raises(LiveError) as refused:
        finish(commune, session_id, key, state, **more)
    assert refused.value.code == code
    assert goes(commune, session_id).waiting[0].item.key == key


def test_answers_on_the_spot_become_drafts_and_nothing_is_sent(commune: Commune) -> None:
    session_id = held(commune)
    keys = [entry.item.key for entry in goes(commune, session_id).entries]
    finish(commune, session_id, keys[0], LiveState.ANSWERED, note="Sẽ sửa trong tháng này.")
    finish(commune, session_id, keys[1], LiveState.SKIPPED)
    for _ in range(2):  # twice is the same as once
        with commune.database.write() as session:
            assert proceedings.draft_answers(session, session_id, now=commune.clock.at).answers == 1
    with commune.database.read() as session:
        drafts = session.scalars(select(Answer)).all()
        assert session.scalars(select(Outbound.id)).all() == []
    assert [(draft.text, draft.published_at) for draft in drafts] == [("Sẽ sửa trong tháng này.", None)]


class Secretary(RuleBasedStateMachine):
    """Any sequence of steps against a list of what the items were before each."""

    commune: Commune
    session_id: int

    @initialize()
    def start(self) -> None:
        self.history: list[tuple[Entry, ...]] = []

    def _keys(self) -> list[str]:
        return [entry.item.key for entry in goes(self.commune, self.session_id).entries]

    @rule(number=st.integers(0, 20))
    def take_up(self, number: int) -> None:
        keys = self._keys()
        self.history.append(goes(self.commune, self.session_id).entries)
        begin(self.commune, self.session_id, keys[number % len(keys)])

    @rule(number=st.integers(0, 20), state=st.sampled_from(ENDS), note=st.sampled_from(["Một", "Hai"]))
    def end(self, number: int, state: LiveState, note: str) -> None:
        keys = self._keys()
        self.history.append(goes(self.commune, self.session_id).entries)
        finish(self.commune, self.session_id, keys[number % len(keys)], state, note=note)

    @rule()
    def take_back(self) -> None:
        def undo() -> None:
            with self.commune.database.write() as session:
                proceedings.undo(session, self.session_id, now=self.commune.clock.at)

        if not self.history:
            with pytest.raises(LiveError):
                undo()
            return
        undo()
        assert goes(self.commune, self.session_id).entries == self.history.pop()

    @invariant()
    def one_item_at_a_time_and_all_of_them(self) -> None:
        found = goes(self.commune, self.session_id)
        assert sum(entry.state == LiveState.NOW for entry in found.entries) <= 1
        current = [found.current] if found.current else []
        assert len(found.waiting) + len(found.finished) + len(current) == len(found.entries)

    def teardown(self) -> None:
        while getattr(self, "history", None):
            self.take_back()


def test_no_sequence_of_steps_loses_an_item(
    backend: str, migrated: Callable[[str], Database], tmp_path: Path
) -> None:
    made = Commune(migrated(backend), tmp_path)
    number = held(made)

    class On(Secretary):
        commune = made
        session_id = number

    examples = 15 if backend == "sqlite" else 5
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        On, settings=settings(max_examples=examples, stateful_step_count=12, deadline=None)
    )
    empty(made.database)

"""After any sequence of staff's edits, newcomers, withdrawals and regroupings, every edit still holds."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from core.topics import edits
from core.topics.edits import EditError
from core.topics.store import regroup
from storage.models import Concern, ConcernState, Topic, TopicEdit, TopicMember
from tests.factories.databases import empty
from tests.factories.plain_reader import BAT_XAT
from tests.factories.records import Commune
from tests.factories.topics import WORDS, tell

THEMES = tuple(WORDS)


@dataclass
class _Said:
    """What staff's standing edits demand: where pinned concerns are, names, locked topics."""

    pins: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)


class Board(RuleBasedStateMachine):
    """A clerk, citizens and the regrouping job at one session's topics."""

    commune: Commune

    @initialize()
    def begin(self) -> None:
        empty(self.commune.database)
        self.commune.__post_init__()
        self.session_id = self.commune.collecting()
        self.said, self.history = _Said(), list[_Said]()
        self.tell(list(THEMES) * 2)
        self.regroup()

    @rule(themes=st.lists(st.sampled_from(THEMES), min_size=1, max_size=3))
    def tell(self, themes: list[str]) -> None:
        tell(
            self.commune.database, themes, session_id=self.session_id, unit_code=BAT_XAT.code,
            now=self.commune.clock.at,
        )  # fmt: skip

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        listed = self._listed()
        if len(listed) > 3:
            gone = data.draw(st.sampled_from(listed))
            with self.commune.database.write() as session:
                session.execute(
                    update(Concern).where(Concern.id == gone).values(state=ConcernState.WITHDRAWN)
                )
            self._forget(gone)

    @rule()
    def regroup(self) -> None:
        with self.commune.database.write() as session:
            regroup(session, session_id=self.session_id, placed_by="job", now=self.commune.clock.at)
        self.check_whole()

    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        topics = self._topics()
        chosen = (
            data.draw(st.lists(st.sampled_from(sorted(topics)), min_size=2, max_size=3, unique=True))
            if (len(topics) > 1)
            else []
        )
        if chosen:
            self._edit("merge", into=chosen[0], others=chosen[1:])
            self._pin([c for topic in chosen for c in topics[topic]], chosen[0])

    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        large = {topic: members for topic, members in self._topics().items() if len(members) > 1}
        if not large:
            return
        topic = data.draw(st.sampled_from(sorted(large)))
        some = data.draw(
            st.lists(st.sampled_from(large[topic]), min_size=1, max_size=len(large[topic]) - 1, unique=True)
        )
        edit = self._edit("split", topic_id=topic, concerns=some)
        self._pin(large[topic], topic)
        self._pin(some, edit.before["made"])

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        topics = self._topics()
        placed = sorted(c for members in topics.values() for c in members)
        concern, to = data.draw(st.sampled_from(placed)), data.draw(st.sampled_from(sorted(topics)))
        self._edit("move", concerns=[concern], to=to)
        self._pin([concern], to)

    @rule(data=st.data(), name=st.sampled_from(["Đường sá", "Việc khác"]))
    def rename(self, data: st.DataObject, name: str) -> None:
        topic = data.draw(st.sampled_from(sorted(self._topics())))
        self._edit("rename", topic_id=topic, label=name)
        self.said.names[topic] = name

    @rule(data=st.data())
    def lock(self, data: st.DataObject) -> None:
        topics = self._topics()
        topic = data.draw(st.sampled_from(sorted(topics)))
        self._edit("lock", topic_id=topic)
        self._pin(topics[topic], topic)
        self.said.locked.add(topic)

    @rule()
    def undo(self) -> None:
        with self.commune.database.write() as session:
            if not self.history:
                with pytest.raises(EditError):
                    edits.undo(session, session_id=self.session_id, now=self.commune.clock.at)
                return
            edits.undo(session, session_id=self.session_id, now=self.commune.clock.at)
        self.said = self.history.pop()

    @invariant()
    def edits_hold(self) -> None:
        if not hasattr(self, "said"):
            return
        where = self._where()
        assert {c: where[c] for c in self.said.pins} == self.said.pins
        with self.commune.database.read() as session:
            for topic, name in self.said.names.items():
                assert session.get_one(Topic, topic).label == name

    def check_whole(self) -> None:
        where = self._where()
        assert sorted(where) == self._listed()
        for concern, topic in where.items():
            if topic in self.said.locked:
                assert self.said.pins.get(concern) == topic
        with self.commune.database.read() as session:
            standing = set(session.scalars(select(Topic.id).where(Topic.retired_at.is_(None))))
        assert standing == set(where.values())

    def _edit(self, name: str, **values: Any) -> TopicEdit:
        self.history.append(copy.deepcopy(self.said))
        with self.commune.database.write() as session:
            made: TopicEdit = getattr(edits, name)(
                session, session_id=self.session_id, by="staff:1", now=self.commune.clock.at, **values
            )
            return made

    def _pin(self, concerns: list[int], topic: int) -> None:
        listed = set(self._listed())  # Withdrawn ones are members until the next regrouping.
        self.said.pins |= {c: topic for c in concerns if c in listed}

    def _forget(self, concern: int) -> None:
        for said in (self.said, *self.history):
            said.pins.pop(concern, None)

    def _topics(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for concern, topic in sorted(self._where().items()):
            found.setdefault(topic, []).append(concern)
        return found

    def _where(self) -> dict[int, int]:
        with self.commune.database.read() as session:
            rows = session.execute(select(TopicMember.concern_id, TopicMember.topic_id))
            return dict(rows.tuples().all())

    def _listed(self) -> list[int]:
        with self.commune.database.read() as session:
            query = select(Concern.id).where(Concern.state == ConcernState.RECEIVED).order_by(Concern.id)
            return list(session.scalars(query))


def test_edits_outlive_regroupings(commune: Commune) -> None:
    machine = type("BoardHere", (Board,), {"commune": commune})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )
    empty(commune.database)


def test_an_edit_that_cannot_be_made_changes_nothing(commune: Commune) -> None:
    session_id = commune.collecting()
    ids = tell(commune.database, THEMES, session_id=session_id, unit_code=BAT_XAT.code, now=commune.clock.at)
    with commune.database.write() as session:
        regroup(session, session_id=session_id, placed_by="job", now=commune.clock.at)
    with commune.database.write() as session:
        topic = session.scalars(select(TopicMember.topic_id).where(TopicMember.concern_id == ids[0])).one()
        common: dict[str, Any] = {"session_id": session_id, "by": "staff:1", "now": commune.clock.at}
        for code, call in (
            ("whole_topic", lambda: edits.split(session, topic_id=topic, concerns=[ids[0]], **common)),
            ("concern_unknown", lambda: edits.split(session, topic_id=topic, concerns=[ids[1]], **common)),
            ("nothing_chosen", lambda: edits.split(session, topic_id=topic, concerns=[], **common)),
            ("topic_unknown", lambda: edits.merge(session, into=topic, others=[9_999], **common)),
            ("nothing_chosen", lambda: edits.merge(session, into=topic, others=[topic], **common)),
            ("name_empty", lambda: edits.rename(session, topic_id=topic, label=" \u200b ", **common)),
            ("concern_unknown", lambda: edits.move(session, concerns=[9_999], to=topic, **common)),
        ):
            with pytest.raises(EditError) as refused:
                call()
            assert refused.value.code == code
        assert session.scalars(select(TopicEdit)).all() == []

"""Topics in the database: names and numbers over regroupings, one newcomer, the commands, counted queries."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, select

from core.topics import board, edits, newcomer
from core.topics.store import regroup
from storage.models import Concern, ConcernState, Topic, TopicMember
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted
from tests.factories.records import Commune
from tests.factories.topics import WORDS, tell, vector_of
from tests.integration.cli.conftest import Nghedan, nghedan

__all__ = ["nghedan"]
ROADS, WASTE, HEALTH = WORDS


def _regroup(commune: Commune, session_id: int) -> int:
    with commune.database.write() as session:
        return regroup(session, session_id=session_id, placed_by="job", now=commune.clock.at)


def _tell(commune: Commune, session_id: int, themes: list[str], *, unit: str = BAT_XAT.code) -> list[int]:
    return tell(commune.database, themes, session_id=session_id, unit_code=unit, now=commune.clock.at)


def _topic_of(commune: Commune, concern_id: int) -> int:
    with commune.database.read() as session:
        return session.scalars(select(TopicMember.topic_id).where(TopicMember.concern_id == concern_id)).one()


def test_a_topic_keeps_its_number_and_staffs_name(commune: Commune) -> None:
    session_id = commune.collecting()
    first = _tell(commune, session_id, [ROADS, ROADS, WASTE])
    assert _regroup(commune, session_id) == 2
    topic = _topic_of(commune, first[0])
    with commune.database.write() as session:
        edits.rename(
            session,
            session_id=session_id,
            topic_id=topic,
            label="Đường sá",
            by="staff:1",
            now=commune.clock.at,
        )
    more = _tell(commune, session_id, [ROADS, HEALTH])

    assert _regroup(commune, session_id) == 3
    assert _topic_of(commune, more[0]) == topic == _topic_of(commune, first[0])
    with commune.database.read() as session:
        listed = board.topics(session, session_id=session_id)
    assert [one.label for one in listed if one.topic_id == topic] == ["Đường sá"]
    assert [one.facts["rank"] for one in listed] == [1, 2, 3]


def test_a_newcomer_joins_its_theme_or_opens_a_topic(commune: Commune) -> None:
    session_id = commune.collecting()
    known = _tell(commune, session_id, [ROADS, ROADS])
    _regroup(commune, session_id)
    fresh = _tell(commune, session_id, [ROADS, WASTE])
    with commune.database.write() as session:
        topics = [
            newcomer.place(
                session, session_id=session_id, concern_id=i, text="Rác đầy đường", themes=((theme, 0.9),),
                vector=np.frombuffer(vector_of(theme, i), dtype="<f4"), field_code=None, placed_by="system",
                now=commune.clock.at,
            )
            for i, theme in zip(fresh, (ROADS, WASTE), strict=True)
        ]  # fmt: skip
    assert topics[0] == _topic_of(commune, known[0])
    assert topics[1] != topics[0]


def test_a_concern_that_changed_its_session_changes_its_topic(commune: Commune) -> None:
    here = commune.collecting(unit_code=BAT_XAT.code)
    there = commune.collecting(unit_code=BAC_HA.code)
    moved, _ = _tell(commune, here, [ROADS, ROADS])
    _regroup(commune, here)
    with commune.database.write() as session:
        session.get_one(Concern, moved).session_id = there

    assert _regroup(commune, there) == 1
    assert _regroup(commune, here) == 1
    with commune.database.read() as session:
        assert session.scalar(select(func.count()).select_from(TopicMember)) == 2
        assert session.get_one(Topic, _topic_of(commune, moved)).session_id == there


@pytest.mark.parametrize("size", [6, 60])
def test_the_queries_do_not_grow(commune: Commune, size: int) -> None:
    session_id = commune.collecting()
    _tell(commune, session_id, [ROADS, WASTE, HEALTH] * (size // 3))
    with counted(commune.database) as first:
        _regroup(commune, session_id)
    with counted(commune.database) as again:
        _regroup(commune, session_id)
    assert len(first) <= 12
    assert len(again) <= 12


def test_withdrawn_concerns_leave_and_an_empty_topic_retires(commune: Commune) -> None:
    session_id = commune.collecting()
    gone, _ = _tell(commune, session_id, [WASTE, ROADS])
    _regroup(commune, session_id)
    topic = _topic_of(commune, gone)
    with commune.database.write() as session:
        session.get_one(Concern, gone).state = ConcernState.WITHDRAWN

    assert _regroup(commune, session_id) == 1
    with commune.database.read() as session:
        assert session.get_one(Topic, topic).retired_at is not None


def test_the_commands_show_why_and_correct(nghedan: Nghedan, commune: Commune) -> None:
    session_id = commune.collecting()
    ids = _tell(commune, session_id, [ROADS, ROADS, WASTE])
    _regroup(commune, session_id)
    number, roads, waste = str(session_id), _topic_of(commune, ids[0]), _topic_of(commune, ids[2])

    listed = nghedan("topics", "list", "--session", number, "--json").json["topics"]
    assert {one["topic_id"] for one in listed} == {roads, waste}
    assert str(roads) in nghedan("topics", "list", "--session", number).stdout
    members = nghedan("topics", "why", "--session", number, "--topic", str(roads), "--json").json["members"]
    assert "duong" in members[0]["why"]["words"]
    assert members[0]["nearest_code"] == members[1]["code"]

    assert nghedan("topics", "merge", "--session", number, "--into", str(roads), str(waste)).code == 0
    assert _topic_of(commune, ids[2]) == roads
    assert nghedan("topics", "undo", "--session", number).code == 0
    assert _topic_of(commune, ids[2]) == waste
    assert (
        nghedan("topics", "split", "--session", number, "--topic", str(roads), members[0]["code"]).code == 0
    )
    assert _topic_of(commune, ids[0]) not in (roads, waste)
    refused = nghedan("topics", "move", "--session", number, "--to", str(roads), "LC-26-99999")
    assert (refused.code, refused.stdout) == (1, "")
    assert "[concern_unknown]" in refused.stderr

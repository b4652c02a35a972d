"""The agenda: every concern once or explained, people counted once, numbered and reproducible."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from core.agenda.build import build, load, save
from core.agenda.document import AgendaDocument
from core.sessions.lifecycle import SessionError
from core.topics.store import regroup
from storage.models import Concern, ConcernEvent, ConcernState, Topic, TopicMember
from tests.factories.many import many_concerns
from tests.factories.queries import counted
from tests.factories.records import Commune

ROAD = "Đường liên thôn hỏng nặng, xe máy không đi được"
WATER = "Nước sinh hoạt đục mấy tháng nay"


def _build(commune: Commune, session_id: int) -> AgendaDocument:
    with commune.database.read() as session:
        return build(session, session_id=session_id)


def _save(commune: Commune, session_id: int) -> tuple[int, AgendaDocument]:
    with commune.database.write() as session:
        agenda = save(session, session_id=session_id, created_by="t", now=commune.clock.at)
        return agenda.version, AgendaDocument.load(agenda.body)


def _codes(document: AgendaDocument) -> Counter[str]:
    return Counter(code for part in document.fields for topic in part.topics for code in topic.codes)


@pytest.mark.parametrize("state", list(ConcernState))
def test_every_numbered_concern_is_listed_once_or_explained(commune: Commune, state: ConcernState) -> None:
    session_id = commune.collecting()
    many_concerns(commune, 6, session_id=session_id)
    with commune.database.write() as session:
        concern = session.scalars(select(Concern).order_by(Concern.id)).first()
        assert concern is not None
        concern.state = state
        if state == ConcernState.QUARANTINED:
            concern.session_id, concern.code = None, None
        elif state == ConcernState.DRAFT:
            concern.code = None
        wanted = [code for code in session.scalars(select(Concern.code)) if code]
    document = _build(commune, session_id)
    explained = Counter(code for part in document.not_listed for code in part.codes)
    assert _codes(document) + explained == Counter(wanted)
    assert all(part.explanation and part.count for part in document.not_listed)
    if state == ConcernState.QUARANTINED:
        assert [(n.reason, n.count, n.codes) for n in document.not_listed] == [("quarantined", 1, ())]


def test_people_are_counted_once_over_authors_and_supporters(commune: Commune) -> None:
    session_id = commune.collecting()
    author, other = commune.person(), commune.person()
    author.raise_concern(ROAD)
    author.raise_concern(WATER)
    other.raise_concern("Rác chất đống ở đầu thôn")
    with commune.database.read() as session:
        ids = list(session.scalars(select(Concern.id).order_by(Concern.id)))
    other.choose(f"join:{ids[0]}")
    author.choose(f"join:{ids[2]}")
    document = _build(commune, session_id)
    assert document.people == 2
    people = {t.codes[0]: t.people for part in document.fields for t in part.topics}
    assert sorted(people.values()) == [1, 2, 2]
    assert document.concern_count == document.topic_count == 3


def test_the_agenda_names_nobody(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    person.raise_concern(ROAD)
    body = str(_build(commune, session_id).dump())
    assert person.external_id not in body
    assert "citizen" not in body
    assert "contact" not in body


def test_topics_go_together_and_fields_in_order(commune: Commune) -> None:
    session_id = commune.collecting()
    many_concerns(commune, 14, session_id=session_id)
    with commune.database.write() as session:
        ids = session.scalars(select(Concern.id).order_by(Concern.id)).all()
        topic = Topic(
            session_id=session_id, field_code="giao_thong", label="Sửa đường", facts={},
            representative_id=ids[7], created_at=commune.clock.at,
        )  # fmt: skip
        session.add(topic)
        session.flush()
        session.add_all(
            TopicMember(concern_id=i, topic_id=topic.id, placed_by="t", at=commune.clock.at)
            for i in (ids[0], ids[7])
        )
    document = _build(commune, session_id)
    first = document.fields[0] if document.fields[0].code == "giao_thong" else None
    road = first or next(part for part in document.fields if part.code == "giao_thong")
    assert [t.label for t in road.topics] == ["Sửa đường"]
    assert len(road.topics[0].codes) == 2
    assert "thôn 2" in road.topics[0].quote
    assert document.concern_count == 14


def test_versions_are_numbered_and_an_unchanged_agenda_makes_no_new_one(commune: Commune) -> None:
    session_id = commune.collecting()
    person = commune.person()
    person.raise_concern(ROAD)
    assert _save(commune, session_id)[0] == 1
    assert _save(commune, session_id)[0] == 1
    person.raise_concern(WATER)
    version, document = _save(commune, session_id)
    assert (version, document.concern_count) == (2, 2)
    with commune.database.read() as session:
        first = load(session, session_id=session_id, version=1)
        assert AgendaDocument.load(first.body).concern_count == 1
        assert AgendaDocument.load(first.body).digest() == first.sha256
        assert load(session, session_id=session_id).version == 2
        with pytest.raises(SessionError, match=r"agenda\.none"):
            load(session, session_id=session_id, version=3)
        assert Counter(session.scalars(select(ConcernEvent.kind))) == {"submitted": 2, "on_agenda": 2}
        assert set(session.scalars(select(Concern.state))) == {"on_agenda"}


def test_a_kept_agenda_does_not_follow_later_changes(commune: Commune) -> None:
    session_id = commune.collecting()
    commune.person().raise_concern(ROAD)
    _, before = _save(commune, session_id)
    with commune.database.write() as session:
        session.scalars(select(Concern)).one().text = WATER
    with commune.database.read() as session:
        assert AgendaDocument.load(load(session, session_id=session_id).body) == before


def test_building_asks_the_same_number_of_questions_whatever_the_size(commune: Commune) -> None:
    asked = []
    session_id = commune.collecting()
    for more in (10, 200):
        many_concerns(commune, more, session_id=session_id)
        with counted(commune.database) as statements:
            _build(commune, session_id)
        with counted(commune.database) as saving:
            _save(commune, session_id)
        asked.append((len(statements), len(saving)))
    assert asked[0] == asked[1]
    assert asked[0][0] <= 9


def test_regrouping_asks_the_same_number_of_questions_whatever_the_size(commune: Commune) -> None:
    asked = []
    for more in (10, 200):
        session_id = commune.collecting(title=f"{more}")
        many_concerns(commune, more, session_id=session_id)
        counts = []
        for _ in range(2):
            with counted(commune.database) as statements, commune.database.write() as session:
                regroup(session, session_id=session_id, placed_by="t", now=commune.clock.at)
            counts.append(len(statements))
        asked.append(counts)
    assert asked[0] == asked[1]

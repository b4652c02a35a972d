"""The chair's page: figures as the rows have them, people once, what is new, what was promised; files that open."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from docx import Document
from sqlalchemy import select, update

from core.digest import build
from core.digest.page import Digest
from core.documents import DIGEST_FORMATS, export_digest
from core.sessions import lifecycle
from core.sessions.lifecycle import SessionError
from core.topics.store import regroup
from storage.models import Answer, Citizen, Concern, DialogueSession, Support, Topic
from tests.factories.many import many_concerns
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted
from tests.factories.records import Commune
from tests.factories.topics import tell

ROAD, WASTE, CLINIC = "giao_thong/duong", "moi_truong/rac", "y_te/tram_y_te"


def _regroup(commune: Commune, session_id: int) -> None:
    with commune.database.write() as session:
        regroup(session, session_id=session_id, placed_by="t", now=commune.clock.at)


def _page(commune: Commune, session_id: int) -> Digest:
    with commune.database.read() as session:
        return build.build(session, session_id=session_id, now=commune.clock.at)


def _tell(
    commune: Commune, themes: list[str], *, session_id: int, unit_code: str = BAT_XAT.code
) -> list[int]:
    return tell(commune.database, themes, session_id=session_id, unit_code=unit_code, now=commune.clock.at)


def _two_sessions(commune: Commune) -> tuple[int, int]:
    """A session three months ago with roads and a dated promise, and one now with roads, waste and a clinic."""
    first = commune.collecting(title="Quý III")
    _tell(commune, [ROAD] * 4, session_id=first)
    _regroup(commune, first)
    with commune.database.write() as session:
        topic = session.scalars(select(Topic)).one()
        session.add(
            Answer(
                session_id=first,
                topic_id=topic.id,
                text="Sẽ sửa xong.",
                answered_by="Sở Xây dựng",
                due_on=(commune.clock.at + timedelta(days=60)).date(),
                published_at=commune.clock.at,
                created_at=commune.clock.at,
            )
        )
        lifecycle.close(session, first)
    commune.clock.pass_by(days=90)
    second = commune.collecting(title="Quý IV")
    _tell(commune, [ROAD] * 3, session_id=second)
    _tell(commune, [WASTE] * 5 + [CLINIC], session_id=second, unit_code=BAC_HA.code)
    _regroup(commune, second)
    return first, second


def test_the_page_says_what_is_there_what_is_new_and_what_was_promised(commune: Commune) -> None:
    _, second = _two_sessions(commune)
    page = _page(commune, second)
    assert (page.concerns, page.people, page.topics, page.units) == (9, 9, 3, 2)
    assert (page.before, page.before_concerns, page.before_people) == ("Quý III", 4, 4)
    people = {topic.places[0]: topic.people for topic in page.top if topic.people > 1}
    assert people == {BAT_XAT.name: 3, BAC_HA.name: 5}
    assert sorted(topic.new for topic in page.top) == [False, True, True]
    assert page.new_count == 2
    assert {bar.people: bar.before for bar in page.bars} == {5: 0, 3: 4, 1: 0}
    assert [(spot.unit, spot.people) for spot in page.hot] == [(BAC_HA.name, 6), (BAT_XAT.name, 3)]
    assert [(p.by, p.late_days) for p in page.promises] == [("Sở Xây dựng", 30)]
    for topic in page.top:
        assert topic.score == pytest.approx(sum(value for _, value in topic.parts), abs=0.01)


def test_people_count_once_and_those_who_joined_count(commune: Commune) -> None:
    session_id = commune.collecting()
    ids = _tell(commune, [ROAD] * 3, session_id=session_id)
    with commune.database.write() as session:
        # The first person wrote twice, and somebody who wrote nothing joined.
        session.execute(update(Concern).where(Concern.id == ids[1]).values(citizen_id=ids[0]))
        guest = Citizen(
            id=ids[-1] + 1, consent="granted", unit_code=BAT_XAT.code, created_at=commune.clock.at
        )
        session.add(guest)
        session.flush()
        for citizen in (ids[0], guest.id):
            session.add(
                Support(concern_id=ids[2], citizen_id=citizen, contact_id=ids[0], at=commune.clock.at)
            )
    _regroup(commune, session_id)
    page = _page(commune, session_id)
    assert (page.concerns, page.people, page.top[0].people, page.hot[0].people) == (3, 3, 3, 3)
    assert page.bars[0].people == 3


def test_a_first_session_without_concerns_has_a_page_too(commune: Commune, tmp_path: Path) -> None:
    page = _page(commune, commune.collecting())
    assert (page.concerns, page.before, page.top, page.promises) == (0, "", (), ())
    for kind in DIGEST_FORMATS:
        assert export_digest(page, kind, tmp_path / f"a.{kind}").stat().st_size > 500


def test_an_unknown_session_is_refused(commune: Commune) -> None:
    with pytest.raises(SessionError):
        _page(commune, 99)


def test_it_asks_the_same_number_of_questions_whatever_the_size(commune: Commune) -> None:
    asked = []
    for more in (10, 200):
        session_id = commune.collecting(title=f"{more}")
        many_concerns(commune, more, session_id=session_id)
        _regroup(commune, session_id)
        with commune.database.write() as session:
            session.execute(
                update(DialogueSession).where(DialogueSession.id == session_id).values(unit_code=BAT_XAT.code)
            )
        with counted(commune.database) as statements:
            _page(commune, session_id)
        asked.append(len(statements))
        commune.clock.pass_by(days=30)
    assert max(asked) <= 12


def test_erased_and_hostile_words_do_no_harm(commune: Commune, tmp_path: Path) -> None:
    session_id = commune.collecting()
    ids = _tell(commune, [ROAD, WASTE], session_id=session_id)
    _regroup(commune, session_id)
    with commune.database.write() as session:
        session.execute(update(Topic).values(label='<script>alert("x")</script> & \x01'))
        session.execute(
            update(Concern).where(Concern.id == ids[0]).values(text="BÍ MẬT", erased_at=commune.clock.at)
        )
    page = _page(commune, session_id)
    assert page.concerns == 1
    html = export_digest(page, "html", tmp_path / "a.html").read_text("utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    word = export_digest(page, "docx", tmp_path / "a.docx")
    with zipfile.ZipFile(word) as parts:
        told = "".join(parts.read(name).decode("utf-8", "ignore") for name in parts.namelist())
    assert "BÍ MẬT" not in html + told


def test_the_word_file_has_a_chart_of_the_same_figures(commune: Commune, tmp_path: Path) -> None:
    _, second = _two_sessions(commune)
    path = export_digest(_page(commune, second), "docx", tmp_path / "a.docx")
    with zipfile.ZipFile(path) as parts:
        chart = parts.read("word/charts/chart1.xml").decode("utf-8")
    assert chart.count("<c:ser>") == 2
    assert "<c:v>5</c:v>" in chart
    texts = [cell.text for row in Document(str(path)).tables[1].rows for cell in row.cells]
    assert any("số người" in text for text in texts)

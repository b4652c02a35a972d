"""The dashboard: the same numbers as drawing and as table, places without a voice, satisfaction."""

from __future__ import annotations

import pytest

from console.charts import bars
from core.intake import concerns
from storage.models import Concern, StaffRole
from tests.factories.console import Office
from tests.factories.many import many_concerns
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted


def test_bars_are_as_long_as_their_numbers_say() -> None:
    chart = bars([("a", 10), ("b", 5), ("c", 0)])
    assert [bar.length for bar in chart.bars] == [410.0, 205.0, 0.0]
    assert bars([]).height > 0
    assert bars([("x" * 80, 1)]).bars[0].label.endswith("…")


def test_numbers_of_drawing_and_table_agree(office: Office) -> None:
    many_concerns(office.commune, 21, session_id=office.commune.collecting())
    page = office.as_(StaffRole.GIAM_SAT).get("/dashboard").text
    assert "<strong>21</strong> đã hỏi" in page
    assert page.count("<svg") == 5
    assert '<td class="n">11</td>' in page
    assert ">11</text>" in page


def test_places_without_a_voice_are_named(office: Office) -> None:
    office.commune.person(unit_code=BAT_XAT.code).raise_concern("Đường hỏng")
    page = office.as_(StaffRole.CHU_TRI).get("/dashboard").text
    assert "1 trong 2 xã, phường" in page
    assert BAC_HA.name in page


def test_confirmed_answers_count_once_however_often_they_are_confirmed(office: Office) -> None:
    office.commune.collecting()
    office.commune.person().raise_concern("Đường hỏng")
    with office.commune.database.write() as session:
        concern = session.query(Concern).one()
        concern.state = "answered"
        for _ in range(2):
            concerns.add_event(
                session, concern.id, "feedback", actor="citizen", now=office.commune.clock.at, verdict="clear"
            )
    page = office.as_(StaffRole.CHU_TRI).get("/dashboard").text
    assert "<strong>1</strong> người dân thấy rõ" in page


def test_asks_a_constant_number_of_times(office: Office) -> None:
    session_id = office.commune.collecting()
    visit = office.as_(StaffRole.VAN_PHONG)
    database = office.console.state.desk.database
    many_concerns(office.commune, 5, session_id=session_id)
    with counted(database) as few:
        visit.get("/dashboard")
    many_concerns(office.commune, 60, session_id=session_id)
    with counted(database) as many:
        visit.get("/dashboard")
    assert len(many) == len(few) <= 12


@pytest.mark.parametrize("unit_code", [BAC_HA.code])
def test_another_units_session_is_not_found(office: Office, unit_code: str) -> None:
    session_id = office.commune.collecting(unit_code=BAT_XAT.code)
    visit = office.as_(StaffRole.VAN_PHONG, unit_code=unit_code)
    assert visit.get("/dashboard", session=session_id).status_code == 404

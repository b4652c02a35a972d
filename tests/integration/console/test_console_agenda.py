"""The agenda in the console: ordered by hand, left out with a reason, versioned, approved, compared, exported."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from sqlalchemy import delete, select

from core.agenda.choices import reorder
from storage.models import Agenda, Concern, ConcernState, StaffRole, TopicMember
from tests.factories.console import Office, Visit
from tests.factories.many import many_concerns
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted

FIRST, SECOND, THIRD = "Đường vào thôn một hỏng", "Đường ra chợ sạt lở", "Đường lên trạm y tế lầy lội"


@pytest.fixture
def session_id(office: Office) -> int:
    """A session with three concerns of one field and one of another."""
    made = office.commune.collecting()
    for words in (FIRST, SECOND, THIRD, "Rác ở chợ không thu gom"):
        office.commune.person().raise_concern(words)
    with office.commune.database.write() as session:
        session.execute(delete(TopicMember))  # Each concern is an item of its own.
    return made


def _keys(text: str) -> list[str]:
    return re.findall(r'name="n-([TC]\d+)"', text)


def _page(visit: Visit, session_id: int) -> str:
    return visit.get(f"/sessions/{session_id}/agenda").text


@pytest.mark.parametrize(
    ("wanted", "order"),
    [
        ({"c": 1}, "cabd"),
        ({"a": 3}, "bcad"),
        ({"a": 4, "d": 1}, "dbca"),
        ({}, "abcd"),
        ({"b": 99}, "acdb"),
        ({"a": 2, "b": 1}, "bacd"),
    ],
)
def test_numbers_typed_over_the_order_mean_what_people_expect(wanted: dict[str, int], order: str) -> None:
    assert reorder("abcd", wanted) == list(order)


def test_order_by_hand_is_kept_and_given_up(office: Office, session_id: int) -> None:
    clerk = office.as_(StaffRole.VAN_PHONG)
    before = _keys(_page(clerk, session_id))
    clerk.post(f"/sessions/{session_id}/agenda/order", {f"n-{before[2]}": "1", "what": "keep"})
    after = _keys(_page(clerk, session_id))
    assert after[:3] == [before[2], before[0], before[1]]
    clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "forget"})
    assert _keys(_page(clerk, session_id)) == before


def test_item_that_is_not_asked_keeps_its_reason_and_comes_back(office: Office, session_id: int) -> None:
    clerk = office.as_(StaffRole.VAN_PHONG)
    key = _keys(_page(clerk, session_id))[0]
    address = f"/sessions/{session_id}/agenda/order"
    clerk.post(address, {"what": "save"})
    concern_id = int(key[1:]) if key.startswith("C") else None
    page = clerk.post(address, {f"why-{key}": "verify", "what": "save"}).text
    assert "Đã lưu thành bản số 2" in page
    assert key not in _keys(page)
    paper = clerk.get(f"/sessions/{session_id}/agenda/2").text
    assert "cần xác minh thêm" in paper
    if concern_id:
        with office.commune.database.read() as session:
            assert session.get_one(Concern, concern_id).state == ConcernState.RECEIVED
    _page(clerk, session_id)
    clerk.post(address, {f"why-{key}": "", "what": "keep"})
    assert key in _keys(_page(clerk, session_id))


def test_chair_approves_the_newest_version_only(office: Office, session_id: int) -> None:
    clerk, chair = office.as_(StaffRole.VAN_PHONG), office.as_(StaffRole.CHU_TRI)
    keys = _keys(_page(clerk, session_id))
    clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "save"})
    _page(chair, session_id)
    clerk.post(f"/sessions/{session_id}/agenda/order", {f"n-{keys[1]}": "1", "what": "save"})
    old = chair.post(f"/sessions/{session_id}/agenda/1/approve")
    assert (old.status_code, "Chỉ duyệt được bản mới nhất" in old.text) == (409, True)
    assert "Đã duyệt bản số 2" in chair.post(f"/sessions/{session_id}/agenda/2/approve").text
    with office.commune.database.read() as session:
        rows = session.execute(select(Agenda.version, Agenda.approved_by).order_by(Agenda.version)).all()
    assert [(v, bool(by)) for v, by in rows] == [(1, False), (2, True)]
    clerk.get("/sessions/new")
    assert clerk.post(f"/sessions/{session_id}/agenda/2/approve").status_code == 403


def test_differences_between_versions(office: Office, session_id: int) -> None:
    clerk = office.as_(StaffRole.VAN_PHONG)
    keys = _keys(_page(clerk, session_id))
    address = f"/sessions/{session_id}/agenda"
    clerk.post(f"{address}/order", {"what": "save"})
    office.commune.person().raise_concern("Nước sinh hoạt yếu")
    clerk.post(f"{address}/order", {f"n-{keys[1]}": "1", f"why-{keys[2]}": "time", "what": "save"})
    text = clerk.get(f"{address}/2/changes", since=1).text
    assert {"thêm", "bỏ", "đổi thứ tự"} <= set(re.findall(r'class="tag">([^<]+)<', text))
    assert "như nhau" in clerk.get(f"{address}/2/changes", since=2).text
    assert clerk.get(f"{address}/2/changes", since=9).status_code == 404
    assert clerk.get(f"{address}/2/changes").status_code == 404


@pytest.mark.parametrize("kind", ["docx", "xlsx", "csv", "json"])
def test_every_format_is_downloaded_whole(office: Office, session_id: int, kind: str) -> None:
    office.commune.person().raise_concern('=HYPERLINK("http://x","đường")')
    clerk = office.as_(StaffRole.VAN_PHONG)
    _page(clerk, session_id)
    clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "save"})
    answer = clerk.get(f"/sessions/{session_id}/agenda/1/file/{kind}")
    assert answer.status_code == 200
    assert f"ban-1.{kind}" in answer.headers["content-disposition"]
    assert len(answer.content) == int(answer.headers["content-length"])
    if kind == "csv":
        assert "\"'=HYPERLINK" in answer.text or "'=HYPERLINK" in answer.text
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        cells = [c for sheet in book for row in sheet.iter_rows() for c in row if "HYPERLINK" in str(c.value)]
        assert cells
        assert {cell.data_type for cell in cells} == {"s"}
    assert clerk.get(f"/sessions/{session_id}/agenda/1/file/exe").status_code == 404


def test_page_asks_the_database_a_constant_number_of_times(office: Office) -> None:
    session_id = office.commune.collecting()
    clerk = office.as_(StaffRole.VAN_PHONG)
    database = office.console.state.desk.database
    many_concerns(office.commune, 5, session_id=session_id)
    with counted(database) as few:
        _page(clerk, session_id)
    many_concerns(office.commune, 45, session_id=session_id)
    with counted(database) as many:
        _page(clerk, session_id)
    assert len(many) == len(few)


@pytest.mark.parametrize("role", list(StaffRole))
def test_each_role_at_the_agenda(office: Office, session_id: int, role: StaffRole) -> None:
    planners = {StaffRole.QUAN_TRI, StaffRole.THAM_MUU, StaffRole.VAN_PHONG}
    whole = planners | {StaffRole.CHU_TRI, StaffRole.GIAM_SAT}
    visit = office.as_(role)
    assert visit.get(f"/sessions/{session_id}/agenda").status_code == (200 if role in whole else 403)
    visit.get("/password")
    answer = visit.post(f"/sessions/{session_id}/agenda/order", {"what": "save"}, follow=False)
    assert answer.status_code == (303 if role in planners else 403)


def test_another_units_agenda_is_not_found(office: Office) -> None:
    session_id = office.commune.collecting(unit_code=BAT_XAT.code)
    clerk = office.as_(StaffRole.VAN_PHONG, unit_code=BAC_HA.code)
    assert clerk.get(f"/sessions/{session_id}/agenda").status_code == 404
    clerk.get("/password")
    assert clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "save"}).status_code == 404


def test_words_of_citizens_are_text_on_paper(office: Office) -> None:
    session_id = office.commune.collecting()
    office.commune.person().raise_concern("<script>alert(1)</script> đường hỏng")
    clerk = office.as_(StaffRole.VAN_PHONG)
    assert "<script>alert" not in _page(clerk, session_id)
    clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "save"})
    assert "<script>alert" not in clerk.get(f"/sessions/{session_id}/agenda/1").text

"""Sessions in the console: planned, opened and closed by the office, seen only by their own units."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from core.sessions.clock import next_due
from storage.models import DialogueSession, SessionState, StaffRole
from tests.factories.console import Office
from tests.factories.plain_reader import BAC_HA, BAT_XAT

PLAN = {
    "title": "Đối thoại quý IV",
    "unit": "15",
    "held_at": "2026-12-05T07:30",
    "collects_until": "2026-11-28T17:00",
    "place": "",
    "chair": "",
}


def test_session_goes_from_plan_to_the_end_of_collecting(office: Office) -> None:
    visit = office.as_(StaffRole.VAN_PHONG)
    visit.get("/sessions/new")
    made = visit.post("/sessions", PLAN)
    assert "Đã lập phiên." in made.text
    assert "7 giờ 30 ngày 05/12/2026" in made.text
    address = str(made.url.path).removeprefix("/console")
    office.commune.person().raise_concern("Đường vào thôn hỏng nặng")
    assert "Đã chuyển vào phiên 1 ý kiến chờ" in visit.post(f"{address}/open").text
    assert "Đã ngừng nhận ý kiến: 1 ý kiến" in visit.post(f"{address}/close").text
    visit.get(address)
    again = visit.post(f"{address}/close")
    assert (again.status_code, "trạng thái khác" in again.text) == (409, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"held_at": "mai"},
        {"collects_until": "2026-12-06T07:30"},
        {"title": " "},
        {"held_at": "0001-01-01T00:00"},
    ],
)
def test_wrong_plan_is_explained_and_keeps_what_was_typed(office: Office, wrong: dict[str, str]) -> None:
    visit = office.as_(StaffRole.VAN_PHONG)
    visit.get("/sessions/new")
    answer = visit.post("/sessions", {**PLAN, "place": "Hội trường <b>lớn</b>", **wrong})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "Hội trường &lt;b&gt;lớn&lt;/b&gt;" in answer.text


PLANNERS = {StaffRole.QUAN_TRI, StaffRole.THAM_MUU, StaffRole.VAN_PHONG}
READERS = PLANNERS | {StaffRole.CHU_TRI, StaffRole.GIAM_SAT}


@pytest.mark.parametrize("unit_code", ["15", BAT_XAT.code, BAC_HA.code])
@pytest.mark.parametrize("role", list(StaffRole))
def test_each_role_in_each_unit_reaches_only_its_own(office: Office, role: StaffRole, unit_code: str) -> None:
    session_id = office.commune.collecting(unit_code=BAT_XAT.code, title="Phiên của Bát Xát")
    visit = office.as_(role, unit_code=unit_code)
    inside = unit_code in ("15", BAT_XAT.code)
    listed = visit.get("/sessions")
    assert listed.status_code == (200 if role in READERS else 403)
    assert ("Phiên của Bát Xát" in listed.text) == (role in READERS and inside)
    expected = (200 if inside else 404) if role in READERS else 403
    assert visit.get(f"/sessions/{session_id}").status_code == expected
    visit.get("/password")
    closed = visit.post(f"/sessions/{session_id}/close", follow=False)
    assert closed.status_code == ((303 if inside else 404) if role in PLANNERS else 403)
    visit.get("/password")
    foreign = {**PLAN, "unit": BAT_XAT.code}
    planned = visit.post("/sessions", foreign, follow=False)
    assert planned.status_code == (303 if role in PLANNERS and inside else 403)


def test_list_asks_the_database_the_same_number_of_times_whatever_its_length(office: Office) -> None:
    visit = office.as_(StaffRole.VAN_PHONG)
    engine = office.console.state.desk.database.engine
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    office.commune.collecting()
    visit.get("/sessions")
    with_one = len(asked)
    for number in range(5):
        office.commune.collecting(title=f"Phiên {number}")
    asked.clear()
    visit.get("/sessions")
    assert len(asked) == with_one


def test_clock_names_the_next_duty_and_whether_it_is_late(office: Office) -> None:
    now = office.commune.clock.at
    held_at = now + timedelta(days=6)
    found = DialogueSession(
        state=SessionState.PLANNED, held_at=held_at, collects_until=now + timedelta(days=3)
    )

    def due() -> tuple[str, bool] | None:
        made = next_due(found, notice_days=7, publish_days=10, now=now)
        return (made.what, made.late) if made else None

    assert due() == ("open", True)
    found.state = SessionState.COLLECTING
    assert due() == ("close", False)
    found.state = SessionState.CLOSED
    assert due() == ("agenda", False)
    found.held_at = now - timedelta(days=11)
    assert due() == ("publish", True)
    found.state = SessionState.PUBLISHED
    assert due() is None

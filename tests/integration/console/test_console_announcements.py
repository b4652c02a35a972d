"""Announcements in the console: previewed, sent once, steered, followed, kept as proof."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.broadcast import proof
from storage.models import Announcement, ChannelState, Contact, Outbound, OutboundState, StaffRole
from tests.factories.console import Office, Visit
from tests.factories.many import many_concerns
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted

TEXT = "Mời bà con dự buổi đối thoại <b>ngày mai</b>."


@pytest.fixture
def session_id(office: Office) -> int:
    """A session whose commune has subscribers on three channels."""
    made = office.commune.collecting()
    many_concerns(office.commune, 30, session_id=made, subscribers=True)
    return made


@pytest.fixture
def clerk(office: Office, session_id: int) -> Visit:
    """A clerk with the form open."""
    visit = office.as_(StaffRole.VAN_PHONG)
    visit.get("/announcements/new", session=session_id)
    return visit


def _values(session_id: int, **more: str) -> dict[str, str]:
    return {"unit": "15", "session": str(session_id), "text": TEXT, "due_at": "", **more}


def _states(office: Office) -> set[str]:
    with office.commune.database.read() as session:
        return set(session.scalars(select(Outbound.state).where(Outbound.announcement_id.is_not(None))))


def test_preview_says_whom_it_reaches_and_sends_nothing(
    office: Office, clerk: Visit, session_id: int
) -> None:
    page = clerk.post("/announcements", _values(session_id, what="preview")).text
    assert "Tới ngay" in page
    assert "Zalo OA" in page
    assert "&lt;b&gt;ngày mai&lt;/b&gt;" in page
    assert "NGỪNG" in page
    assert _states(office) == set()


def test_only_what_was_previewed_is_sent(office: Office, clerk: Visit, session_id: int) -> None:
    clerk.post("/announcements", _values(session_id, what="send", seen="chữ khác"))
    assert _states(office) == set()
    page = clerk.post("/announcements", _values(session_id, what="send", seen=TEXT)).text
    assert "Đã xếp 30 tin vào hàng gửi" in page


def test_pause_go_on_cancel(office: Office, clerk: Visit, session_id: int) -> None:
    clerk.post("/announcements", _values(session_id, what="send", seen=TEXT))
    with office.commune.database.read() as session:
        number = session.scalars(select(Announcement.id)).one()
    assert "Đã tạm dừng 27 tin" in clerk.post(f"/announcements/{number}/paused").text
    assert OutboundState.QUEUED not in _states(office)
    assert "Gửi tiếp 27 tin" in clerk.post(f"/announcements/{number}/running").text
    assert "Đã hủy 27 tin" in clerk.post(f"/announcements/{number}/cancelled").text
    clerk.get("/announcements/new")
    assert clerk.post(f"/announcements/{number}/running").status_code == 409
    clerk.get("/announcements/new")
    assert clerk.post(f"/announcements/{number}/nonsense").status_code == 404


def test_scheduled_announcement_and_its_reminders_wait_for_their_time(
    office: Office, clerk: Visit, session_id: int
) -> None:
    values = _values(session_id, what="send", seen=TEXT, due_at="2026-11-03T07:00", remind="1d")
    page = clerk.post("/announcements", values).text
    assert "hẹn giờ" in page
    assert _states(office) == set()
    with office.commune.database.read() as session:
        made = session.scalars(select(Announcement).order_by(Announcement.id)).all()
    assert [one.state for one in made] == ["scheduled", "scheduled"]
    assert f"{made[0].starts_at:%Y-%m-%d %H:%M}" == "2026-11-03 00:00"
    assert made[1].before_minutes == 1440


def test_money_beyond_what_was_shown_is_not_spent(office: Office, clerk: Visit, session_id: int) -> None:
    with office.commune.database.write() as session:
        long_ago = office.commune.clock.at - timedelta(days=4)
        session.execute(update(Contact).where(Contact.channel == "zalo_oa").values(last_inbound_at=long_ago))
    values = _values(session_id, what="send", seen=TEXT, reach="paid", seen_cost="0")
    page = clerk.post("/announcements", values).text
    assert "495" in page  # nine people at 55 đồng
    assert _states(office) == set()
    clerk.post("/announcements", values | {"seen_cost": "495"})
    with office.commune.database.read() as session:
        made = session.scalars(select(Announcement)).one()
    assert (made.reach, made.cost_limit_vnd) == ("paid", 495)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"text": " "}, "Chưa nhập nội dung"),
        ({"text": "x" * 2500}, "dài quá"),
        ({"due_at": "2026-01-01T00:00"}, "Giờ hẹn"),
    ],
)
def test_wrong_forms_are_explained(
    clerk: Visit, session_id: int, wrong: dict[str, str], problem: str
) -> None:
    answer = clerk.post("/announcements", _values(session_id, what="preview") | wrong)
    assert (answer.status_code, problem in answer.text) == (422, True)


def test_outcome_by_recipient_and_proof_without_names(office: Office, clerk: Visit, session_id: int) -> None:
    clerk.post("/announcements", _values(session_id, what="send", seen=TEXT))
    page = clerk.page.text if clerk.page else ""
    assert "không tới được: 3" in page
    with office.commune.database.read() as session:
        number = session.scalars(select(Announcement.id)).one()
    assert clerk.get(f"/announcements/{number}/progress").json()["total"] == 30
    text = clerk.get(f"/announcements/{number}/proof").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 31
    assert "external" not in text
    assert clerk.get(f"/announcements/{number}", state="permanent_failure").text.count("<tr>") == 4


def test_the_sealed_proof_is_whole_and_names_nobody(office: Office, clerk: Visit, session_id: int) -> None:
    clerk.post("/announcements", _values(session_id, what="send", seen=TEXT))
    with office.commune.database.read() as session:
        number = session.scalars(select(Announcement.id)).one()
    text = clerk.get(f"/announcements/{number}/sealed").text
    verdict = proof.verify(text.splitlines(keepends=True))
    assert (verdict.ok, verdict.messages) == (True, 30)
    assert "ngày mai" not in text


def test_an_account_in_trouble_is_on_the_first_page_of_the_office(office: Office) -> None:
    with office.commune.database.write() as session:
        facts = {"alarm": "refresh_used"}
        session.add(ChannelState(channel="zalo_oa", account_id="a", facts=facts))
    assert "API Explorer" in office.as_(StaffRole.VAN_PHONG).get("/").text
    assert "API Explorer" not in office.as_(StaffRole.GIAM_SAT).get("/").text


def test_list_asks_a_constant_number_of_times(office: Office, clerk: Visit, session_id: int) -> None:
    database = office.console.state.desk.database
    numbers = []
    for _ in range(2):
        clerk.get("/announcements/new")
        clerk.post("/announcements", _values(session_id, what="send", seen=TEXT))
        with counted(database) as asked:
            clerk.get("/announcements")
        numbers.append(len(asked))
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("role", list(StaffRole))
def test_only_the_office_sends(office: Office, session_id: int, role: StaffRole) -> None:
    senders = {StaffRole.QUAN_TRI, StaffRole.THAM_MUU, StaffRole.VAN_PHONG}
    visit = office.as_(role)
    visit.get("/password")
    answer = visit.post("/announcements", _values(session_id, what="send", seen=TEXT), follow=False)
    assert answer.status_code == (303 if role in senders else 403)


def test_other_units_are_out_of_reach(office: Office, clerk: Visit, session_id: int) -> None:
    clerk.post("/announcements", _values(session_id, what="send", seen=TEXT))
    other = office.as_(StaffRole.VAN_PHONG, unit_code=BAC_HA.code)
    assert other.get("/announcements/1").status_code == 404
    other.get("/announcements/new")
    values = _values(session_id, what="send", seen=TEXT)
    assert other.post("/announcements", {**values, "unit": BAT_XAT.code, "session": ""}).status_code == 403
    other.get("/announcements/new")
    assert other.post("/announcements", {**values, "unit": BAC_HA.code}).status_code == 404

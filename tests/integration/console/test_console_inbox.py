"""The inbox: found with and without diacritics, judged one by one and many at once, told to the citizen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.people import erasure
from storage.models import Attachment, Citizen, Concern, ConcernEvent, ConcernState, Contact, StaffRole
from tests.factories.console import Office, Visit
from tests.factories.many import many_concerns
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted
from tests.factories.records import Person


def _concern(
    office: Office, text: str = "Đường vào thôn Hỏng nặng, xe không đi được"
) -> tuple[Person, Concern]:
    person = office.commune.person()
    code = person.raise_concern(text)
    with office.commune.database.read() as session:
        return person, session.scalars(select(Concern).where(Concern.code == code)).one()


def _state(office: Office, concern_id: int) -> str:
    with office.commune.database.read() as session:
        return session.get_one(Concern, concern_id).state


def _events(office: Office, concern_id: int) -> list[str]:
    with office.commune.database.read() as session:
        query = (
            select(ConcernEvent.kind).where(ConcernEvent.concern_id == concern_id).order_by(ConcernEvent.id)
        )
        return list(session.scalars(query))


@pytest.fixture
def clerk(office: Office) -> Visit:
    """A clerk of the province's office."""
    return office.as_(StaffRole.VAN_PHONG)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("đường hỏng", True),
        ("duong hong", True),
        ("HỎNG đường", True),
        ("duo ho", True),
        ("uong", False),
        ("cầu hỏng", False),
        ("'; DROP TABLE concern; -- & | ! ( :*", False),
        ("%%%", False),
    ],
)
def test_words_are_found_with_and_without_diacritics(
    office: Office, clerk: Visit, asked: str, found: bool
) -> None:
    _, concern = _concern(office)
    assert ((concern.code or "-") in clerk.get("/concerns", q=asked).text) == found


def test_receipt_code_finds_its_concern(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office)
    _, other = _concern(office, "Rác ở chợ không thu gom")
    text = clerk.get("/concerns", q=(concern.code or "").lower()).text
    assert f"/concerns/{concern.id}" in text
    assert f"/concerns/{other.id}" not in text


def test_erased_words_are_found_no_more(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office)
    with office.commune.database.write() as session:
        citizen = session.get_one(Citizen, concern.citizen_id)
        erasure.erase(session, citizen, now=office.commune.clock.at)
    assert (concern.code or "-") not in clerk.get("/concerns", q="duong").text
    assert "đã xóa theo yêu cầu" in clerk.get(f"/concerns/{concern.id}").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"state": "received"}, True),
        ({"state": "answered"}, False),
        ({"field": "giao_thong"}, True),
        ({"field": "none"}, False),
        ({"unit": BAT_XAT.code}, True),
        ({"unit": BAC_HA.code}, False),
        ({"channel": "simulator"}, True),
        ({"channel": "zalo_oa"}, False),
        ({"since": "2026-11-02", "until": "2026-11-02"}, True),
        ({"since": "2026-11-03"}, False),
        ({"until": "2026-11-01"}, False),
        ({"state": "nonsense", "since": "31/12", "session": "x", "after": "zzz", "order": "?"}, True),
        ({"order": "doubtful", "after": "nan_1"}, True),
    ],
)
def test_filters(office: Office, clerk: Visit, query: dict[str, str], shown: bool) -> None:
    _, concern = _concern(office)
    assert ((concern.code or "-") in clerk.get("/concerns", **query).text) == shown


@pytest.mark.parametrize("order", ["newest", "oldest", "doubtful"])
def test_pages_show_every_concern_once(office: Office, clerk: Visit, order: str) -> None:
    many_concerns(office.commune, 130, session_id=office.commune.collecting())
    seen: list[str] = []
    after = ""
    while True:
        text = clerk.get("/concerns", order=order, after=after).text
        seen += [part.split('"')[0] for part in text.split('name="id" value="')[1:]]
        if "after=" not in text:
            break
        after = text.split("after=")[1].split('"')[0]
    assert len(seen) == len(set(seen)) == 130


def test_doubtful_concerns_come_first(office: Office, clerk: Visit) -> None:
    _, sure = _concern(office)
    _, doubtful = _concern(office, "Việc này bà con mong được xem xét sớm")
    _concern(office, "Rác ở chợ không thu gom")
    text = clerk.get("/concerns", order="doubtful").text
    assert "cần xem" in text
    with office.commune.database.write() as session:
        session.get_one(Concern, sure.id).field_confidence = 0.1
        session.get_one(Concern, doubtful.id).field_confidence = 0.95
    text = clerk.get("/concerns", order="doubtful").text
    assert text.index(f'/concerns/{sure.id}"') < text.index(f'/concerns/{doubtful.id}"')


def test_list_and_concern_ask_the_database_a_constant_number_of_times(office: Office, clerk: Visit) -> None:
    session_id = office.commune.collecting()
    _, concern = _concern(office)
    database = office.console.state.desk.database
    many_concerns(office.commune, 5, session_id=session_id)
    with counted(database) as few:
        clerk.get("/concerns")
    many_concerns(office.commune, 45, session_id=session_id)
    with counted(database) as many:
        clerk.get("/concerns")
    assert len(many) == len(few) <= 9
    with counted(database) as before:
        clerk.get(f"/concerns/{concern.id}")
    for number in range(5):
        clerk.post(f"/concerns/{concern.id}/do/comment", {"words": f"Ghi chú {number}"})
    with counted(database) as after:
        clerk.get(f"/concerns/{concern.id}")
    assert len(after) == len(before)


def test_decisions_on_many_take_a_constant_number_of_statements(office: Office, clerk: Visit) -> None:
    many_concerns(office.commune, 40, session_id=office.commune.collecting())
    clerk.get("/concerns")
    with office.commune.database.read() as session:
        ids = list(session.scalars(select(Concern.id)))
    database = office.console.state.desk.database
    values = {"what": "assign", "handler": BAT_XAT.code}
    with counted(database) as few:
        clerk.post("/concerns/decide", {**values, "id": ids[:2]}, follow=False)
    with counted(database) as many:
        answer = clerk.post("/concerns/decide", {**values, "id": ids}, follow=False)
    assert answer.headers["location"].endswith("done=decided&n=38")
    assert len(many) <= len(few) + 1


def test_field_set_by_a_clerk_stays_and_is_recorded(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office)
    clerk.get("/concerns")
    page = clerk.post("/concerns/decide", {"what": "field", "field": "dat_dai", "id": concern.id})
    assert "Đã xử lý 1 ý kiến" in page.text
    with office.commune.database.read() as session:
        found = session.get_one(Concern, concern.id)
        assert (found.field_code, found.field_confidence) == ("dat_dai", 1.0)
    assert _events(office, concern.id)[-1] == "field_corrected"
    assert "Đặt lĩnh vực" in clerk.get(f"/concerns/{concern.id}").text


def test_refusal_gives_the_citizen_its_reason_and_can_be_taken_back(office: Office, clerk: Visit) -> None:
    person, concern = _concern(office)
    clerk.get("/concerns")
    clerk.post(
        "/concerns/decide", {"what": "refuse", "reason": "not_ours", "id": concern.id, "alone": concern.id}
    )
    assert _state(office, concern.id) == ConcernState.NOT_LISTED
    told = person.heard()[-1].text
    assert concern.code in told
    assert "không thuộc thẩm quyền" in told
    page = clerk.get(f"/concerns/{concern.id}").text
    assert "Không thuộc thẩm quyền" in page
    assert told in page
    clerk.post("/concerns/decide", {"what": "restore", "id": concern.id, "alone": concern.id})
    assert _state(office, concern.id) == ConcernState.RECEIVED


def test_refusing_twice_tells_once(office: Office, clerk: Visit) -> None:
    person, concern = _concern(office)
    clerk.get("/concerns")
    for _ in range(2):
        clerk.post(
            "/concerns/decide", {"what": "refuse", "reason": "unclear", "id": concern.id}, follow=False
        )
    assert sum("đủ rõ" in row.text for row in person.heard()) == 1


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"what": "refuse", "reason": "", "id": "1"}, "Chưa chọn lý do"),
        ({"what": "field", "field": "nonsense", "id": "1"}, "không có trong danh mục"),
        ({"what": "assign", "handler": "99999", "id": "1"}, "không thuộc phạm vi"),
        ({"what": "restore"}, "Chưa chọn ý kiến"),
    ],
)
def test_wrong_decisions_are_explained(
    office: Office, clerk: Visit, values: dict[str, str], problem: str
) -> None:
    _concern(office)
    clerk.get("/concerns")
    answer = clerk.post("/concerns/decide", values)
    assert answer.status_code == 422
    assert problem in answer.text


def test_reply_goes_to_the_chat_once_and_is_shown(office: Office, clerk: Visit) -> None:
    person, concern = _concern(office)
    clerk.get(f"/concerns/{concern.id}")
    page = clerk.post(f"/concerns/{concern.id}/do/reply", {"words": "Ủy ban đã cử người xuống xem ạ."})
    assert "Đã xếp tin" in page.text
    assert "Ủy ban đã cử người xuống xem ạ." in page.text
    assert person.heard()[-1].text.endswith("Ủy ban đã cử người xuống xem ạ.")
    empty = clerk.post(f"/concerns/{concern.id}/do/reply", {"words": "  "})
    assert (empty.status_code, "Chưa nhập nội dung" in empty.text) == (422, True)


def test_a_clerk_who_is_done_lets_the_bot_answer_again(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office)
    assert "Cho máy trả lời lại" not in clerk.get(f"/concerns/{concern.id}").text
    with office.commune.database.write() as session:
        contact = session.get_one(Contact, concern.contact_id)
        contact.bot_paused_until = office.commune.clock.at + timedelta(hours=4)
    assert "Cho máy trả lời lại" in clerk.get(f"/concerns/{concern.id}").text
    assert "trả lời người này trở lại" in clerk.post(f"/concerns/{concern.id}/do/resume").text
    with office.commune.database.read() as session:
        assert session.get_one(Contact, concern.contact_id).bot_paused_until is None
    assert _events(office, concern.id)[-1] == "bot_resumed"


def test_question_of_staff_is_answered_with_one_tap_and_comes_back(office: Office, clerk: Visit) -> None:
    person, concern = _concern(office)
    clerk.get(f"/concerns/{concern.id}")
    clerk.post(f"/concerns/{concern.id}/do/detail", {"words": "Đoạn nào, dài bao nhiêu ạ?"})
    assert _state(office, concern.id) == ConcernState.NEEDS_DETAIL
    assert person.heard()[-1].choices == [["Viết thêm", f"change:add:{concern.id}"]]
    person.choose(f"change:add:{concern.id}")
    person.step("action_choose", "Đoạn qua suối, hai cây số", intent="choose", choice=f"added:{concern.id}")
    assert _state(office, concern.id) == ConcernState.RECEIVED
    assert "hai cây số" in clerk.get(f"/concerns/{concern.id}").text
    assert concern.code in clerk.get("/concerns", q="cay so").text


XSS = "<script>alert(1)</script><img src=x onerror=alert(1)> đường {{7*7}} \"' onmouseover=x"


def test_words_of_citizens_are_text_everywhere(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office, XSS)
    for path in ("/concerns", f"/concerns/{concern.id}"):
        page = clerk.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "{{7*7}}" in page


def _attach(office: Office, concern: Concern, mime_type: str, name: str, content: bytes = b"x") -> int:
    folder = office.console.state.desk.settings.attachments_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    with office.commune.database.write() as session:
        row = Attachment(
            contact_id=concern.contact_id, concern_id=concern.id, inbound_id=concern.first_inbound_id, position=9,
            kind="photo", state="kept", path=name, mime_type=mime_type, created_at=office.commune.clock.at,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


@pytest.mark.parametrize(
    ("mime_type", "served", "how"),
    [
        ("image/jpeg", "image/jpeg", "inline"),
        ("audio/ogg; codecs=opus", "audio/ogg", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/javascript", "application/octet-stream", "attachment"),
    ],
)
def test_files_are_served_as_what_is_safe(
    office: Office, clerk: Visit, mime_type: str, served: str, how: str
) -> None:
    _, concern = _concern(office)
    number = _attach(office, concern, mime_type, "1-abc.html", b"<script>alert(1)</script>")
    answer = clerk.get(f"/concerns/{concern.id}/files/{number}")
    assert answer.headers["content-type"].split(";")[0] == served
    assert answer.headers["content-disposition"].startswith(how)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_file_outside_the_folder_or_of_another_concern_is_not_served(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office)
    _, other = _concern(office, "Rác ở chợ")
    outside = _attach(office, concern, "image/png", "../outside.png")
    inside = _attach(office, other, "image/png", "2-b.png")
    assert clerk.get(f"/concerns/{concern.id}/files/{outside}").status_code == 404
    assert clerk.get(f"/concerns/{concern.id}/files/{inside}").status_code == 404


def _quarantined(office: Office) -> tuple[Person, Concern]:
    person = office.commune.person()
    person.tell("Tôi tố cáo ông trưởng thôn lấy tiền của dân")
    with office.commune.database.read() as session:
        return person, session.scalars(select(Concern).where(Concern.state == ConcernState.QUARANTINED)).one()


WITH_QUARANTINE = {StaffRole.THAM_MUU, StaffRole.VAN_PHONG}


@pytest.mark.parametrize("role", list(StaffRole))
def test_what_stands_behind_a_legal_door_is_for_few_and_every_look_is_recorded(
    office: Office, role: StaffRole
) -> None:
    _, concern = _quarantined(office)
    visit = office.as_(role)
    allowed = role in WITH_QUARANTINE
    assert "trưởng thôn" not in visit.get("/concerns").text
    assert visit.get("/concerns", state="quarantined").status_code == (200 if allowed else 403)
    assert visit.get(f"/concerns/{concern.id}").status_code == (200 if allowed else 404)
    assert ("read" in _events(office, concern.id)) == allowed


def test_duty_officer_releases_or_passes_on(office: Office, clerk: Visit) -> None:
    person, concern = _quarantined(office)
    clerk.get(f"/concerns/{concern.id}")
    clerk.post(f"/concerns/{concern.id}/do/pass_on", {"words": "Thanh tra tỉnh"})
    assert "Thanh tra tỉnh" in clerk.get(f"/concerns/{concern.id}").text
    clerk.post(f"/concerns/{concern.id}/do/release")
    assert _state(office, concern.id) == ConcernState.RECEIVED
    assert "được tiếp nhận, mã LC-26-" in person.heard()[-1].text


def test_clerk_sends_a_denunciation_to_its_door(office: Office, clerk: Visit) -> None:
    person, concern = _concern(office)
    clerk.get("/concerns")
    values = {"what": "refuse", "reason": "to_cao", "id": concern.id}
    clerk.post("/concerns/decide", values, follow=False)
    assert _state(office, concern.id) == ConcernState.QUARANTINED
    assert "không gửi tiếp" in person.heard()[-1].text


def test_unit_sees_and_only_sees_what_it_was_asked_to_prepare(office: Office, clerk: Visit) -> None:
    _, concern = _concern(office)
    _concern(office, "Rác ở chợ không thu gom")
    unit = office.as_(StaffRole.DON_VI_XU_LY, unit_code=BAC_HA.code)
    assert "Chưa có ý kiến nào" in unit.get("/concerns").text
    clerk.get("/concerns")
    clerk.post("/concerns/decide", {"what": "assign", "handler": BAC_HA.code, "id": concern.id}, follow=False)
    text = unit.get("/concerns").text
    assert concern.code in text
    assert "Rác" not in text

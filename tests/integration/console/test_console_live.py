"""The session in the console: the secretary's steps, the hall's screen, questions that staff let through."""

from __future__ import annotations

import re

import pytest
from markupsafe import escape
from sqlalchemy import select

from console.pages import hall as hall_pages
from core.doors import ensure
from core.live import hall
from storage.models import LiveQuestion, LiveRoom, QuestionState, StaffRole
from tests.factories.console import Office, Visit
from tests.factories.queries import counted
from tests.integration.live.test_proceedings import goes, held

DENUNCIATION = (
    "Tôi tố cáo ông Sùng A Páo, chủ tịch xã, nhận hối lộ 50 triệu đồng của doanh nghiệp khai thác cát"
)
XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><svg onload=alert(1)>",
    "{{ 7*7 }}",
    "javascript:alert(1)",
)


@pytest.fixture(autouse=True)
def fresh_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hall_pages, "_throttle", hall_pages.Throttle())


@pytest.fixture
def session_id(office: Office) -> int:
    return held(office.commune)


@pytest.fixture
def secretary(office: Office, session_id: int) -> Visit:
    """A clerk with the screen open and the hall's view taking questions."""
    visit = office.as_(StaffRole.VAN_PHONG)
    visit.get(f"/sessions/{session_id}/live")
    visit.post(f"/sessions/{session_id}/live/room", {"what": "questions"})
    return visit


def token(office: Office) -> str:
    with office.commune.database.read() as session:
        return session.scalars(select(LiveRoom.token)).one()


def ask(office: Office, words: str, **more: str) -> Visit:
    """A new phone in the hall sends a question."""
    phone = office.visit()
    phone.get(f"/live/{token(office)}/ask")
    phone.post(f"/live/{token(office)}/ask", {"words": words, **more})
    return phone


def asked(office: Office) -> list[LiveQuestion]:
    with office.commune.database.read() as session:
        return list(session.scalars(select(LiveQuestion).order_by(LiveQuestion.id)))


def said(visit: Visit) -> str:
    assert visit.page is not None
    return visit.page.text


def test_the_secretary_goes_through_the_agenda(office: Office, secretary: Visit, session_id: int) -> None:
    first, second, *_ = (entry.item for entry in goes(office.commune, session_id).entries)
    here = f"/sessions/{session_id}/live"
    secretary.get(here)
    page = secretary.post(f"{here}/item/{first.key}/begin").text
    assert f'<p class="large">{first.label}</p>' in page
    refused = secretary.post(f"{here}/item/{first.key}/answered", {"note": "", "speaker": "Bà Mẩy"})
    assert refused.status_code == 422
    assert "Xin ghi tóm tắt" in refused.text
    assert "Bà Mẩy" in refused.text  # nothing typed is lost
    page = secretary.post(f"{here}/item/{first.key}/answered", {"note": "Sẽ sửa.", "speaker": "Bà Mẩy"}).text
    assert f'<p class="large">{second.label}</p>' in page
    assert "Sẽ sửa." in page
    assert f'<p class="large">{first.label}</p>' in secretary.post(f"{here}/undo").text


def test_drafts_lead_to_the_answers_page(office: Office, secretary: Visit, session_id: int) -> None:
    key = goes(office.commune, session_id).entries[0].item.key
    here = f"/sessions/{session_id}/live"
    secretary.get(here)
    secretary.post(f"{here}/item/{key}/answered", {"note": "Sẽ sửa trong tháng này."})
    page = secretary.post(f"{here}/drafts").text
    assert "Đã lưu 1 bản thảo" in page
    assert "Sẽ sửa trong tháng này." in page


def test_the_hall_sees_topics_and_no_person(office: Office, secretary: Visit, session_id: int) -> None:
    first = goes(office.commune, session_id).entries[0].item
    here = f"/sessions/{session_id}/live"
    secretary.get(here)
    secretary.post(f"{here}/item/{first.key}/begin")
    page = office.visit().get(f"/live/{token(office)}").text
    assert first.label in page
    assert "<svg" in page
    assert "LC-26-" not in page
    assert first.quote not in page or first.quote == first.label


def test_a_question_is_shown_only_after_staff_let_it_through(
    office: Office, secretary: Visit, session_id: int
) -> None:
    words = "Bao giờ có cầu qua suối?"
    assert "đã nhận câu hỏi" in said(ask(office, words))
    projector = f"/live/{token(office)}"
    assert words not in office.visit().get(projector).text
    (question,) = asked(office)
    before = office.visit().get(f"{projector}/pulse").json()["mark"]
    here = f"/sessions/{session_id}/live"
    assert words in secretary.get(here).text
    secretary.post(f"{here}/questions/{question.id}/approved")
    assert words in office.visit().get(projector).text
    assert office.visit().get(f"{projector}/pulse").json()["mark"] != before
    secretary.post(f"{here}/questions/{question.id}/refused", {"reason": "on_agenda"})
    assert words not in office.visit().get(projector).text
    refused = secretary.post(f"{here}/questions/{question.id}/refused", {"reason": "on_agenda"})
    assert refused.status_code == 422


def test_a_denunciation_never_comes_near_the_hall(office: Office, secretary: Visit, session_id: int) -> None:
    ensure(office.console.state.desk.settings.models_dir, lambda _words: None)
    hall_pages._doors.cache_clear()
    assert "Ban Tiếp công dân" in said(ask(office, DENUNCIATION))
    (question,) = asked(office)
    assert question.state == QuestionState.HELD
    here = f"/sessions/{session_id}/live"
    assert DENUNCIATION in secretary.get(here).text
    answer = secretary.post(f"{here}/questions/{question.id}/approved")
    assert answer.status_code == 422
    assert DENUNCIATION not in office.visit().get(f"/live/{token(office)}").text
    administrator = office.as_(StaffRole.QUAN_TRI)
    assert DENUNCIATION not in administrator.get(here).text
    assert administrator.post(f"{here}/questions/{question.id}/refused").status_code == 404


@pytest.mark.parametrize("words", XSS)
def test_words_from_the_hall_are_text_everywhere(
    office: Office, secretary: Visit, session_id: int, words: str
) -> None:
    ask(office, words)
    (question,) = asked(office)
    here = f"/sessions/{session_id}/live"
    assert question.text == words
    pages = [secretary.get(here).text]
    secretary.post(f"{here}/questions/{question.id}/approved")
    pages.append(office.visit().get(f"/live/{token(office)}").text)
    for page in pages:
        assert "<script>alert" not in page
        assert not re.search(r"<(img|svg)[^>]*\bon\w+=", page)
        assert str(escape(words)) in page


def test_who_sends_too_many_waits_and_others_do_not(office: Office, secretary: Visit) -> None:
    phone = office.visit()
    address = f"/live/{token(office)}/ask"
    codes = []
    for number in range(6):
        phone.get(address)
        codes.append(phone.post(address, {"words": f"Câu {number}"}).status_code)
    assert codes == [200, 200, 200, 200, 429, 429]
    assert len(asked(office)) == 4
    ask(office, "Người khác")
    assert len(asked(office)) == 5


def test_programs_that_fill_every_field_are_thanked_and_forgotten(office: Office, secretary: Visit) -> None:
    assert "đã nhận câu hỏi" in said(ask(office, "Mua hàng", website="http://x"))
    assert asked(office) == []


@pytest.mark.parametrize("words", ["", "  \n ", "x" * (hall.MOST_LETTERS + 1)])
def test_a_wrong_question_is_explained(office: Office, secretary: Visit, words: str) -> None:
    phone = ask(office, words)
    assert phone.page is not None
    assert (phone.page.status_code, asked(office)) == (422, [])


def test_closed_and_renewed_links_lead_nowhere(office: Office, secretary: Visit, session_id: int) -> None:
    here, old = f"/sessions/{session_id}/live", token(office)
    secretary.get(here)
    secretary.post(f"{here}/room", {"what": "renew"})
    assert office.visit().get(f"/live/{old}").status_code == 404
    new = token(office)
    assert office.visit().get(f"/live/{new}").status_code == 200
    secretary.post(f"{here}/room", {"what": "open"})
    assert "không nhận câu hỏi" in office.visit().get(f"/live/{new}/ask").text
    secretary.post(f"{here}/room", {"what": "close"})
    for path in ("", "/pulse", "/ask"):
        assert office.visit().get(f"/live/{new}{path}").status_code == 404


def test_a_form_from_elsewhere_is_refused(office: Office, secretary: Visit) -> None:
    stranger = office.visit()
    answer = stranger.client.post(f"/console/live/{token(office)}/ask", data={"words": "Chào"})
    assert answer.status_code == 403
    assert asked(office) == []


def test_pages_ask_a_constant_number_of_times(office: Office, secretary: Visit, session_id: int) -> None:
    database = office.console.state.desk.database
    numbers = []
    for more in (1, 30):
        with office.commune.database.write() as session:
            room = session.scalars(select(LiveRoom)).one()
            for number in range(more):
                hall.ask(
                    session, room, f"Câu {number}", is_sensitive=lambda _: False, now=office.commune.clock.at
                )
        with counted(database) as queries:
            secretary.get(f"/sessions/{session_id}/live")
        with counted(database) as public:
            office.visit().get(f"/live/{token(office)}")
        numbers.append((len(queries), len(public)))
    assert numbers[0] == numbers[1]

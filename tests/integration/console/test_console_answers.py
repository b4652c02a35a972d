"""Answers in the console: written or imported as drafts, published once to everybody who asked."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest

from storage.models import StaffRole
from tests.factories.console import Office
from tests.factories.many import many_concerns
from tests.factories.queries import counted
from tests.factories.records import Person


@pytest.fixture
def asked(office: Office) -> tuple[int, Person]:
    """A session with one concern."""
    session_id = office.commune.collecting()
    person = office.commune.person()
    person.raise_concern("Đường vào thôn hỏng nặng")
    return session_id, person


def _key(text: str) -> str:
    return re.findall(r'id="item-([TC]\d+)"', text)[0]


def test_answer_is_drafted_changed_and_published_once(office: Office, asked: tuple[int, Person]) -> None:
    session_id, person = asked
    clerk = office.as_(StaffRole.VAN_PHONG)
    address = f"/sessions/{session_id}/answers"
    key = _key(clerk.get(address).text)
    for words in ("Sẽ sửa trong quý I", "Sẽ sửa xong trước Tết <b>"):
        page = clerk.post(
            f"{address}/item/{key}", {"text": words, "answered_by": "Sở Xây dựng", "due_on": "2027-01-20"}
        )
    assert "Đã lưu 1 bản thảo" in page.text
    assert "Có 1 nhóm ý kiến đã có bản thảo" in page.text
    assert "Đã công bố trả lời tới 1 người" in clerk.post(f"{address}/publish").text
    assert "Sẽ sửa xong trước Tết" in person.heard()[-1].text
    assert "&lt;b&gt;" in clerk.get(address).text
    before = len(person.heard())
    assert "tới 0 người" in clerk.post(f"{address}/publish").text
    assert len(person.heard()) == before
    late = clerk.post(f"{address}/item/{key}", {"text": "Khác"})
    assert (late.status_code, "đã được trả lời" in late.text) == (422, True)


def test_filled_in_table_is_imported(office: Office, asked: tuple[int, Person]) -> None:
    session_id, _ = asked
    clerk = office.as_(StaffRole.VAN_PHONG)
    clerk.get(f"/sessions/{session_id}/agenda")
    clerk.post(f"/sessions/{session_id}/agenda/order", {"what": "save"})
    book = openpyxl.load_workbook(io.BytesIO(clerk.get(f"/sessions/{session_id}/agenda/1/file/xlsx").content))
    sheet = book.worksheets[0]
    head = next(row for row in sheet.iter_rows() if any(cell.value == "Trả lời" for cell in row))
    column = next(cell.column for cell in head if cell.value == "Trả lời")
    sheet.cell(head[0].row + 1, column).value = "Đã bố trí vốn"
    filled = io.BytesIO()
    book.save(filled)
    clerk.get(f"/sessions/{session_id}/answers")
    address = f"/sessions/{session_id}/answers/file"
    page = clerk.post(address, files={"file": ("bang.xlsx", filled.getvalue())})
    assert "Đã lưu 1 bản thảo" in page.text
    assert "Đã bố trí vốn" in page.text
    for content in (b"not a spreadsheet", b""):
        clerk.get(f"/sessions/{session_id}/answers")
        bad = clerk.post(address, files={"file": ("bang.xlsx", content)})
        assert bad.status_code == 422
    assert clerk.post(address).status_code in (403, 422)


def test_page_asks_a_constant_number_of_times(office: Office, asked: tuple[int, Person]) -> None:
    session_id, _ = asked
    clerk = office.as_(StaffRole.VAN_PHONG)
    database = office.console.state.desk.database
    with counted(database) as few:
        clerk.get(f"/sessions/{session_id}/answers")
    many_concerns(office.commune, 40, session_id=session_id)
    with counted(database) as many:
        clerk.get(f"/sessions/{session_id}/answers")
    assert len(many) == len(few)


@pytest.mark.parametrize("role", list(StaffRole))
def test_only_the_office_publishes(office: Office, asked: tuple[int, Person], role: StaffRole) -> None:
    office_roles = {StaffRole.QUAN_TRI, StaffRole.THAM_MUU, StaffRole.VAN_PHONG}
    visit = office.as_(role)
    visit.get("/password")
    answer = visit.post(f"/sessions/{asked[0]}/answers/publish", follow=False)
    assert answer.status_code == (303 if role in office_roles else 403)

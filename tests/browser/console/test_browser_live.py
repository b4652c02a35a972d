"""A session in a real browser: the secretary, the hall's screen, and a phone that asks by the QR code's address."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from storage.models import LiveRoom, StaffRole
from tests.browser.conftest import OpenPage
from tests.browser.console_office import SIZES, log_in, problems
from tests.factories.console import Office
from tests.integration.live.test_proceedings import goes, held

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HALL = (1920, 1080)
PHONE = SIZES["phone"]


@pytest.fixture(scope="module")
def session_id(served: tuple[Office, str]) -> int:
    """A session with an approved agenda."""
    return held(served[0].commune, concerns=40)


def _secretary(served: tuple[Office, str], browser_page: OpenPage, session_id: int) -> Page:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.goto(f"{served[1]}/sessions/{session_id}")
    page.get_by_role("link", name="Trong phiên").click()
    return page


def _token(office: Office) -> str:
    from sqlalchemy import select

    with office.commune.database.read() as session:
        return session.scalars(select(LiveRoom.token)).one()


def test_from_the_first_item_to_a_question_on_the_screen(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int
) -> None:
    office, base = served
    labels = [entry.item.label for entry in goes(office.commune, session_id).entries]
    secretary = _secretary(served, browser_page, session_id)
    secretary.get_by_role("button", name="Mở và nhận câu hỏi").click()
    hall = browser_page(f"{base}/live/{_token(office)}", width=HALL[0], height=HALL[1])
    expect(hall.get_by_role("heading", level=1)).to_contain_text("sắp bắt đầu")
    expect(hall.get_by_role("img", name="Mã QR")).to_be_visible()

    secretary.get_by_role("button", name="Bắt đầu mục này").first.click()
    expect(hall.get_by_role("heading", level=1)).to_have_text(labels[0])  # by itself
    secretary.get_by_label("Người phát biểu").fill("Bà Mẩy")
    secretary.get_by_label("Ghi tóm tắt ý trả lời").fill("Xã sửa xong trong tháng 12.")
    secretary.get_by_role("button", name="Đã trả lời tại chỗ").click()
    expect(secretary.locator(".large")).to_have_text(labels[1])
    expect(hall.get_by_role("heading", level=1)).to_have_text(labels[1])

    phone = browser_page(f"{base}/live/{_token(office)}/ask", width=PHONE[0], height=PHONE[1])
    phone.get_by_label("Câu hỏi hoặc ý kiến").fill("Bao giờ thôn tôi có điện?")
    phone.get_by_role("button", name="Gửi câu hỏi").click()
    expect(phone.get_by_role("status")).to_contain_text("đã nhận")
    expect(secretary.locator("#news")).to_be_visible()
    secretary.get_by_role("link", name="Tải lại").click()
    secretary.get_by_role("button", name="Cho hiện", exact=True).click()
    expect(hall.get_by_text("Bao giờ thôn tôi có điện?")).to_be_visible()
    assert problems(hall) == []
    assert problems(phone) == []


@pytest.mark.parametrize("size", list(SIZES))
def test_no_serious_finding(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int, size: str
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG, size=size)
    page.goto(f"{served[1]}/sessions/{session_id}/live")
    assert problems(page) == []

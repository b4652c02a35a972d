"""An announcement and an answer in a real browser, from the first word to the outcome."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from storage.models import StaffRole
from tests.browser.conftest import OpenPage
from tests.browser.console_office import SIZES, log_in, problems
from tests.factories.console import Office
from tests.factories.many import many_concerns

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def session_id(served: tuple[Office, str]) -> int:
    """A session with forty subscribers and their concerns."""
    made = served[0].commune.collecting()
    many_concerns(served[0].commune, 40, session_id=made, subscribers=True)
    return made


def test_announce_pause_and_cancel(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.goto(f"{served[1]}/sessions/{session_id}")
    page.get_by_role("link", name="Soạn thông báo").click()
    page.get_by_role("button", name="Xem trước và dự báo").click()
    expect(page.get_by_text("Tới ngay", exact=False)).to_be_visible()
    expect(page.locator(".bubble").first).to_contain_text("NGỪNG")
    page.get_by_role("button", name="Gửi tới 36 người").click()
    expect(page.get_by_role("status")).to_contain_text("Đã xếp 40 tin")
    page.get_by_role("button", name="Tạm dừng").click()
    expect(page.get_by_role("status")).to_contain_text("Đã tạm dừng 36 tin")
    page.get_by_role("button", name="Hủy các tin chưa gửi").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("đã hủy")


def test_write_and_publish_an_answer(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.goto(f"{served[1]}/sessions/{session_id}/answers")
    page.get_by_text("Soạn trả lời").first.click()
    page.get_by_label("Nội dung trả lời").first.fill("Xã đã giao phòng Kinh tế làm trong quý I.")
    page.get_by_role("button", name="Lưu bản thảo").first.click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu 1 bản thảo")
    page.get_by_role("button", name="Công bố và gửi").click()
    expect(page.get_by_role("status")).to_contain_text("Đã công bố trả lời")


@pytest.mark.parametrize("size", list(SIZES))
def test_no_serious_finding(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int, size: str
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG, size=size)
    for path in (
        "/announcements",
        "/announcements/1",
        "/announcements/new",
        f"/sessions/{session_id}/answers",
    ):
        page.goto(f"{served[1]}{path}")
        assert problems(page) == [], path

"""The board of topics in a real browser: merge, undo, and a page that says when concerns arrive."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from storage.models import StaffRole
from tests.browser.conftest import OpenPage
from tests.browser.console_office import SIZES, log_in, problems
from tests.factories.console import Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def session_id(served: tuple[Office, str]) -> int:
    """A session with two topics."""
    made = served[0].commune.collecting()
    for words in ("Đường vào thôn hỏng nặng", "Đường ra chợ hỏng nặng", "Rác ở chợ không thu gom"):
        served[0].commune.person().raise_concern(words)
    return made


def test_merge_undo_and_news(served: tuple[Office, str], browser_page: OpenPage, session_id: int) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.goto(f"{served[1]}/sessions/{session_id}/topics")
    boxes = page.get_by_role("checkbox")
    assert boxes.count() == 2
    for number in range(2):
        boxes.nth(number).check()
    page.get_by_role("button", name="Gộp").click()
    expect(page.get_by_text("1 nhóm, 3 ý kiến")).to_be_visible()
    page.get_by_role("button", name="Hoàn tác: gộp nhóm").click()
    expect(page.get_by_text("2 nhóm, 3 ý kiến")).to_be_visible()
    served[0].commune.clock.pass_by(minutes=1)
    served[0].commune.person().raise_concern("Nước sinh hoạt yếu")
    expect(page.get_by_text("Có ý kiến mới")).to_be_visible(timeout=8_000)


@pytest.mark.parametrize("size", list(SIZES))
def test_no_serious_finding(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int, size: str
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG, size=size)
    page.goto(f"{served[1]}/sessions/{session_id}/topics")
    assert problems(page) == []
    page.goto(f"{served[1]}/sessions/{session_id}/topics/1")
    assert problems(page) == []

"""From closed collection to an approved and exported agenda in a real browser, with the clicks counted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from storage.models import StaffRole, TopicMember
from tests.browser.conftest import OpenPage
from tests.browser.console_office import SIZES, log_in, problems
from tests.factories.console import Office
from tests.factories.many import many_concerns

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def session_id(served: tuple[Office, str]) -> int:
    """A session that collects, with concerns of seven fields."""
    commune = served[0].commune
    made = commune.collecting()
    many_concerns(commune, 300, session_id=made)
    with commune.database.write() as session:
        session.execute(delete(TopicMember))
    return made


def _count_clicks(page: Page) -> None:
    page.context.add_init_script(
        "addEventListener('click', (e) => { if (e.isTrusted) sessionStorage.clicks ="
        " Number(sessionStorage.clicks ?? 0) + 1; }, true);"
    )


def _clicks(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.clicks ?? 0)"))


def test_agenda_by_hand_in_few_clicks(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    _count_clicks(page)
    page.goto(f"{served[1]}/sessions")
    page.get_by_role("link", name="Đối thoại quý IV").first.click()
    page.get_by_role("button", name="Ngừng nhận ý kiến").click()
    page.get_by_role("link", name="Chương trình hội nghị").click()
    for number in (3, 5):
        page.locator("input.order").nth(number).click()
        page.locator("input.order").nth(number).fill("1")
    for number in (1, 8, 12):
        page.locator("select").nth(number).click()
        page.locator("select").nth(number).select_option("time")
    page.get_by_role("button", name="Lưu thành bản mới").first.click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu thành bản số 1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải DOCX của bản số 1").click()
    assert download.value.suggested_filename.endswith(".docx")
    clerk_clicks = _clicks(page)

    chair = log_in(*served, browser_page, StaffRole.CHU_TRI)
    _count_clicks(chair)
    chair.goto(f"{served[1]}/sessions/{session_id}")
    chair.get_by_role("link", name="Chương trình hội nghị").click()
    chair.get_by_role("link", name="Bản số 1", exact=True).click()
    expect(chair.get_by_text("Độc lập - Tự do - Hạnh phúc")).to_be_visible()
    chair.go_back()
    chair.get_by_role("button", name="Duyệt bản số 1").click()
    expect(chair.get_by_role("status")).to_contain_text("Đã duyệt bản số 1")
    total = clerk_clicks + _clicks(chair)
    print("clicks:", total)
    assert 8 <= total <= 25


@pytest.mark.parametrize("size", list(SIZES))
def test_no_serious_finding(
    served: tuple[Office, str], browser_page: OpenPage, session_id: int, size: str
) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG, size=size)
    page.goto(f"{served[1]}/sessions/{session_id}/agenda")
    assert problems(page) == []
    if not page.get_by_role("link", name="Bản số 1", exact=True).count():
        page.get_by_role("button", name="Lưu thành bản mới").click()
    page.get_by_role("link", name="Bản số 1", exact=True).first.click()
    page.wait_for_url("**/agenda/1")
    assert problems(page) == []

"""A clerk works through the inbox in a real browser: with the mouse, with keys, without scripts, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from storage.models import StaffRole
from tests.browser.conftest import OpenPage
from tests.browser.console_office import SIZES, log_in, problems
from tests.factories.console import PASSWORD, Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = ("Đường vào thôn hỏng nặng", "Rác ở chợ không thu gom", "Nước sinh hoạt yếu mấy tháng nay")


@pytest.fixture(scope="module", autouse=True)
def told(served: tuple[Office, str]) -> None:
    """Three concerns, one with a script in it."""
    for words in WORDS:
        served[0].commune.person().raise_concern(words)
    served[0].commune.person().raise_concern("<script>document.title = 'hỏng'</script> cầu gãy")


def test_search_open_reply(served: tuple[Office, str], browser_page: OpenPage) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.get_by_role("link", name="Ý kiến", exact=True).click()
    page.wait_for_url("**/concerns")
    page.keyboard.press("/")
    page.keyboard.type("rac cho")
    page.keyboard.press("Enter")
    page.wait_for_url("**/concerns?q=rac**")
    expect(page.locator("caption")).to_contain_text("1 ý kiến")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("LC-26-")
    page.get_by_label("Nội dung tin").fill("Xã đã bố trí xe gom rác hằng tuần.")
    page.get_by_role("button", name="Gửi", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Đã xếp tin")
    expect(page.get_by_text("Xã đã bố trí xe gom rác hằng tuần.")).to_be_visible()


def test_many_at_once_with_keys(served: tuple[Office, str], browser_page: OpenPage) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.goto(f"{served[1]}/concerns")
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.locator("#decide-field").select_option("dat_dai")
    page.get_by_role("button", name="Đặt lĩnh vực").click()
    expect(page.get_by_role("status")).to_contain_text("Đã xử lý 2 ý kiến")
    assert "hỏng" not in page.title()


def test_works_with_scripts_off(served: tuple[Office, str], browser_page: OpenPage) -> None:
    office, base = served
    office.account(StaffRole.VAN_PHONG, login="khong-script")
    page = browser_page(f"{base}/login", java_script_enabled=False)
    page.get_by_label("Tên đăng nhập").fill("khong-script")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    page.goto(f"{base}/concerns?q=nuoc")
    page.get_by_role("link", name="LC-26").first.click()
    page.get_by_label("Lý do không tiếp nhận").select_option("not_ours")
    page.get_by_role("button", name="Không đưa vào").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Không đưa vào chương trình")


@pytest.mark.parametrize("size", list(SIZES))
def test_no_serious_finding(served: tuple[Office, str], browser_page: OpenPage, size: str) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG, size=size)
    for path in (
        "/",
        "/concerns",
        "/concerns/1",
        "/concerns?q=khongco",
        "/sessions",
        "/sessions/new",
        "/password",
    ):
        page.goto(f"{served[1]}{path}")
        assert problems(page) == [], path

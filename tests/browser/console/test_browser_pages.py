"""Home, dashboard, accounts and error pages in a real browser, for every size; print leaves the frame out."""

from __future__ import annotations

import pytest

from storage.models import StaffRole
from tests.browser.conftest import OpenPage
from tests.browser.console_office import SIZES, log_in, problems
from tests.factories.console import Office
from tests.factories.many import many_concerns

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def told(served: tuple[Office, str]) -> None:
    """Some concerns to count."""
    commune = served[0].commune
    many_concerns(commune, 60, session_id=commune.collecting())


@pytest.mark.parametrize("size", list(SIZES))
def test_no_serious_finding(served: tuple[Office, str], browser_page: OpenPage, size: str) -> None:
    page = log_in(*served, browser_page, StaffRole.QUAN_TRI, size=size)
    for path in ("/", "/dashboard", "/dashboard?session=1", "/staff", "/two-factor", "/khong-co"):
        page.goto(f"{served[1]}{path}")
        assert problems(page) == [], path


def test_print_leaves_the_frame_out(served: tuple[Office, str], browser_page: OpenPage) -> None:
    page = log_in(*served, browser_page, StaffRole.VAN_PHONG)
    page.goto(f"{served[1]}/dashboard")
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert page.locator("table").first.is_visible()

"""A served console with people behind it, and a browser that is logged in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from storage.database import Database
from storage.migrate import upgrade
from storage.models import StaffRole
from tests.browser.conftest import OpenPage
from tests.factories.console import PASSWORD, Office, mounted
from tests.factories.databases import sqlite_database
from tests.factories.records import Commune
from tests.factories.servers import free_port, serve

SIZES = {"phone": (360, 740), "desktop": (1280, 800), "zoom": (640, 400)}


@contextmanager
def served_office(folder: Path) -> Iterator[tuple[Office, str]]:
    """A console on loopback over a new SQLite file; gives the office and the console's address."""
    url = sqlite_database(folder)
    upgrade(url)
    database = Database(url)
    office = Office(Commune(database, folder))
    try:
        with serve(mounted(office.console), free_port()) as base:
            yield office, f"{base}/console"
    finally:
        database.dispose()


def log_in(
    office: Office, base: str, browser_page: OpenPage, role: StaffRole, *, size: str = "desktop"
) -> Page:
    """A page of a member of staff who went through the login form; the account is made when missing."""
    login = f"{role}-15"
    if login not in _accounts(office):
        office.account(role)
    width, height = SIZES[size]
    page = browser_page(f"{base}/login", width=width, height=height)
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(f"{base}/")
    return page


def _accounts(office: Office) -> set[str]:
    from sqlalchemy import select

    from storage.models import StaffMember

    with office.commune.database.read() as session:
        return set(session.scalars(select(StaffMember.login)))


def problems(page: Page) -> list[str]:
    """What would stop somebody with a screen reader, a keyboard, a phone or weak eyes on the open page."""
    script = (Path(__file__).parent / "accessible.js").read_text("utf-8")
    found: list[str] = page.evaluate(script)
    return found

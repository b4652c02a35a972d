"""The simulator page in a real browser, with a small office behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.contract.simulator.office import Office, OfficeServer

SIZES = {"phone": (360, 740), "desktop": (1280, 800)}


class PhonePage:
    """What a person sees and does on the page, by names and roles as a screen reader gives them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.words = page.get_by_role("textbox", name="Nội dung tin nhắn")
        self.send = page.get_by_role("button", name="Gửi tin")
        self.bubbles = page.locator("#entries .bubble")
        self.notice = page.locator("#notice")

    @property
    def person(self) -> str:
        """The id that this phone made for itself."""
        number = self.page.locator("#phone").get_attribute("data-phone")
        kept: str = self.page.evaluate(f"localStorage['nghedan.simulator.{number}']")
        return kept

    def button(self, name: str) -> Locator:
        """A visible button."""
        return self.page.get_by_role("button", name=name, exact=True)

    def type(self, text: str) -> None:
        """Write and press Enter."""
        self.words.fill(text)
        self.words.press("Enter")

    def say(self, text: str) -> None:
        """Type, and wait until the server has it."""
        self.type(text)
        expect(self.own.last).to_contain_text("Đã gửi")

    @property
    def own(self) -> Locator:
        """The person's own bubbles."""
        return self.page.locator("#entries .person .bubble")

    @property
    def theirs(self) -> Locator:
        """The bot's bubbles."""
        return self.page.locator("#entries .bot .bubble")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeServer]:
    uploads = tmp_path_factory.mktemp("uploads")
    server = OfficeServer(Office(uploads=uploads, max_file_bytes=2_000_000))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: OfficeServer) -> OfficeServer:
    """A running office in which nothing has happened yet."""
    running.office.clear()
    return running


@pytest.fixture
def office(server: OfficeServer) -> Office:
    return server.office


@pytest.fixture
def open_phone(browser_page: OpenPage, server: OfficeServer) -> Callable[..., PhonePage]:
    """Opens the page as a new person; `size` is a key of `SIZES`, the rest goes to the browser context."""

    def open_it(size: str = "phone", *, query: str = "", **options: Any) -> PhonePage:
        width, height = SIZES[size]
        page = browser_page(f"{server.url}/simulator{query}", width=width, height=height, **options)
        return PhonePage(page)

    return open_it

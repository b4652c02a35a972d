"""A real browser for tests: Debian's Chromium, driven by Playwright, with nothing but loopback to talk to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_TIMEOUT_MS = 10_000


class OpenPage(Protocol):
    """Opens a page in a browser context of its own (own cookies and storage)."""

    def __call__(self, url: str, *, width: int = 1280, height: int = 800, **options: Any) -> Page:
        """The loaded page; `options` are those of `Browser.new_context`."""
        ...


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the installed Chromium; without one, the tests that want it are skipped and say so."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("Chromium is not installed: apt-get update && apt-get install -y chromium")
    return path


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """One browser for a module.

    Not for the session: while Playwright's synchronous side is open, the main thread counts as running an
    event loop, and asynchronous tests of later modules could not start theirs.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: Browser) -> Iterator[OpenPage]:
    """Opens pages and closes them after the test.

    The test fails in the end when a page threw an error, broke its own security policy, or asked anything
    of another host.
    """
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def note_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.hostname not in ("127.0.0.1", "localhost"):
            troubles.append(f"asked {parts.hostname}")

    def open_page(url: str, *, width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", timezone_id="Asia/Bangkok", **options
        )
        contexts.append(context)
        context.set_default_timeout(_TIMEOUT_MS)
        context.on("request", note_request)
        context.on("weberror", lambda web_error: troubles.append(str(web_error.error)))
        context.on(
            "console",
            lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page = context.new_page()
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []

"""The whole system as a newcomer has it: every program running, a phone in a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from bot.rehearsal.system import SystemUnderRehearsal
from core.clock import utc_now
from core.sessions import lifecycle
from core.settings import Settings
from storage.database import Database
from tests.browser.conftest import _ARGUMENTS, _NAMES
from tests.browser.simulator.conftest import PhonePage

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CODE = re.compile(r"LC-\d{2}-\d{5}")
# With this set, the pictures of the documentation are taken anew: `NGHEDAN_PICTURES=docs/images`.
_PICTURES = os.environ.get("NGHEDAN_PICTURES", "")
WITH_MARKS = "Cầu treo sang bản bên kia mục nát, trẻ con đi học rất nguy hiểm, đề nghị làm lại cầu"
WITHOUT_MARKS = "nuoc sinh hoat cua thon toi bi duc ca thang nay, de nghi cho kiem tra duong ong"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemUnderRehearsal]:
    running = SystemUnderRehearsal(
        tmp_path_factory.mktemp("system"),
        environment={},
        database_url="",
        models=Settings(_env_file=None).models_dir,
        simulator=True,
    )
    try:
        running.prepare(say=print)
        running.start()
        _open_a_session(running.settings)
        yield running
    finally:
        running.stop()


def _open_a_session(settings: Settings) -> None:
    from datetime import timedelta

    database = Database(settings.resolved_database_url)
    now = utc_now()
    with database.write() as session:
        made = lifecycle.create(
            session,
            unit_code="15",
            title="Đối thoại của đồng chí Bí thư Tỉnh ủy",
            held_at=now + timedelta(days=20),
            collects_until=now + timedelta(days=10),
            now=now,
        )
        lifecycle.open_for_collecting(session, made.id)
    database.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("Chromium is not installed: apt-get update && apt-get install -y chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def phone(browser: Browser, system: SystemUnderRehearsal) -> Iterator[PhonePage]:
    context = browser.new_context(viewport={"width": 390, "height": 780}, locale="vi-VN")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(f"{system.url}/simulator")
    yield PhonePage(page)
    context.close()


def _answered(phone: PhonePage, text: str, expected: str) -> None:
    phone.say(text)
    expect(phone.theirs.last).to_contain_text(expected, timeout=20_000)


def _picture(phone: PhonePage, name: str) -> None:
    if _PICTURES:
        phone.page.screenshot(path=str(Path(_PICTURES) / name))


def test_from_first_contact_to_two_receipts(phone: PhonePage) -> None:
    phone.button("Bắt đầu").click()
    expect(phone.theirs.last).to_contain_text("có đồng ý không", timeout=20_000)
    phone.button("1 Tôi đồng ý").click()
    expect(phone.theirs.last).to_contain_text("xã, phường nào", timeout=20_000)
    _answered(phone, "bat xat", "Bát Xát")
    _answered(phone, WITH_MARKS, "Như vậy đã đúng chưa")
    _picture(phone, "simulator-confirm.png")
    phone.button("1 Đúng, gửi ý kiến").click()
    expect(phone.theirs.last).to_contain_text(CODE, timeout=20_000)
    _picture(phone, "simulator-receipt.png")
    _answered(phone, WITHOUT_MARKS, "Như vậy đã đúng chưa")
    _answered(phone, "dung roi", "đã nhận ý kiến")
    _answered(phone, "trang thai", "đã tiếp nhận")
    assert len(set(CODE.findall(phone.theirs.last.inner_text()))) == 2


def test_the_page_shows_no_sideways_scroll_on_a_phone(phone: PhonePage) -> None:
    width = phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390

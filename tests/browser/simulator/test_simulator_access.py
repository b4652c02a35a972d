"""Usable by keyboard, by ear, in the dark, enlarged, without movement: what a script can check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.outbox.port import Choice
from tests.browser.simulator.conftest import SIZES, PhonePage
from tests.contract.simulator.office import THANKS, Office, OfficeServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPhone = Callable[..., PhonePage]
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
NOTE_LIVE_WHEN_FILLED = """
new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.id === "entries"))
    window.liveWhenFilled ??= document.getElementById("talk").getAttribute("aria-live");
}).observe(document, { childList: true, subtree: true });
"""
INTERACTIVE = {"button", "link", "textbox", "spinbutton", "log", "dialog", "complementary", "group"}


def fill(phone: PhonePage, server: OfficeServer) -> None:
    """Every kind of bubble, the notice-free line, open choices and the open tray."""
    phone.say("Đường vào thôn hỏng")
    phone.page.locator("#pick-file").set_input_files(
        {"name": "a.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}
    )
    expect(phone.own.last).to_contain_text("Không gửi được")
    phone.button("Gửi kèm").click()
    phone.button("Nhãn dán").click()
    expect(phone.theirs).to_have_count(2)
    server.say(phone.person, "Đúng chưa ạ?\n1. Đúng\n2. Chưa", Choice("Đúng", "a"), Choice("Chưa", "b"))
    expect(phone.button("2 Chưa")).to_be_visible()
    phone.button("Gửi kèm").click()


def measured(page: Page) -> dict[str, Any]:
    """What `measure.js` finds: poor contrasts, small targets, double ids, odd tab orders."""
    found: dict[str, Any] = page.evaluate(MEASURE)
    return found


def names(page: Page) -> list[tuple[str, str]]:
    """Role and accessible name of everything interactive, as the browser tells a screen reader."""
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")
    seen = [node for node in tree["nodes"] if not node["ignored"]]
    pairs = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in seen]
    return [(role, name) for role, name in pairs if role in INTERACTIVE]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_everything_has_a_name_contrast_and_room_for_a_finger(
    open_phone: OpenPhone, server: OfficeServer, size: str, scheme: str
) -> None:
    phone = open_phone(size, color_scheme=scheme)
    assert measured(phone.page)["troubles"] == []
    fill(phone, server)
    found = measured(phone.page)
    assert found["troubles"] == []
    assert found["texts"] > 20
    assert found["targets"] > 8
    given = names(phone.page)
    assert [role for role, name in given if not name] == []
    assert ("log", "Cuộc trò chuyện với Nghe Dân") in given
    assert ("textbox", "Nội dung tin nhắn") in given
    assert ("group", "Chọn một câu trả lời") in given


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialogs_and_the_notice_are_readable_too(
    open_phone: OpenPhone, server: OfficeServer, scheme: str
) -> None:
    phone = open_phone(color_scheme=scheme)
    for opener in ("Trang này là gì?", "Người mới"):
        phone.button(opener).click()
        assert measured(phone.page)["troubles"] == []
        assert [name for role, name in names(phone.page) if role == "dialog"] != [""]
        phone.page.keyboard.press("Escape")
        expect(phone.button(opener)).to_be_focused()
    phone.button("Gửi kèm").click()
    phone.button("Vị trí").click()
    assert measured(phone.page)["troubles"] == []
    phone.page.keyboard.press("Escape")
    server.stop()
    try:
        expect(phone.notice).to_contain_text("Mất kết nối")
        assert phone.notice.get_attribute("role") == "status"
        assert measured(phone.page)["troubles"] == []
    finally:
        server.start()


def test_contrast_is_really_measured(open_phone: OpenPhone) -> None:
    phone = open_phone()
    phone.page.evaluate("document.querySelector('h1').style.color = '#aaa'")
    assert any("Nghe Dân" in trouble for trouble in measured(phone.page)["troubles"])


def test_whole_exchange_works_by_keyboard_alone(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone()
    keyboard = phone.page.keyboard
    tab_to(phone.page, "Bắt đầu")
    keyboard.press("Enter")
    expect(phone.button("1 Tôi đồng ý")).to_be_visible()
    tab_to(phone.page, "1 Tôi đồng ý")
    keyboard.press("Enter")
    expect(phone.theirs.last).to_contain_text(THANKS)
    expect(phone.page.get_by_role("log")).to_be_focused()
    tab_to(phone.page, "Gửi kèm")
    keyboard.press("Enter")
    expect(phone.button("Ảnh")).to_be_visible()
    tab_to(phone.page, "Nội dung tin nhắn")
    keyboard.press("Escape")
    expect(phone.button("Ảnh")).to_be_hidden()
    tab_to(phone.page, "Nội dung tin nhắn")
    keyboard.type("Cầu gãy")
    keyboard.press("Enter")
    expect(phone.theirs).to_have_count(3)
    assert [event.text for event in office.events] == [None, "consent:yes", "Cầu gãy"]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element of that name has the focus, and see that the focus shows."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const element = document.activeElement, style = getComputedStyle(element);
                const name = element.ariaLabel || element.innerText.replace(/\\s+/g, " ").trim();
                return [name, parseFloat(style.outlineWidth), style.outlineStyle];
            }"""
        )
        if focused[0] == name:
            assert focused[1] >= 2
            assert focused[2] != "none"
            return
    raise AssertionError(f"Tab never reaches {name}")


def test_new_messages_are_announced_and_say_whose_they_are(
    open_phone: OpenPhone, server: OfficeServer
) -> None:
    phone = open_phone()
    log = phone.page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    phone.say("Cầu gãy")
    expect(phone.theirs).to_have_count(1)
    assert phone.own.first.inner_text().startswith("Đã nhắn:")
    assert phone.theirs.first.inner_text().startswith("Nghe Dân:")
    assert phone.page.evaluate("document.documentElement.lang") == "vi"
    phone.page.add_init_script(NOTE_LIVE_WHEN_FILLED)
    phone.page.reload()
    expect(phone.bubbles).to_have_count(2)
    # What was read before is not read out again at every load.
    assert phone.page.evaluate("window.liveWhenFilled") == "off"
    expect(log).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize(("width", "height", "font_px"), [(320, 480, 16), (360, 740, 32)])
def test_narrow_screen_and_doubled_text_need_no_sideways_scrolling(
    open_phone: OpenPhone, server: OfficeServer, width: int, height: int, font_px: int
) -> None:
    phone = open_phone()
    phone.page.set_viewport_size({"width": width, "height": height})
    phone.page.evaluate(f"document.documentElement.style.fontSize = '{font_px}px'")
    fill(phone, server)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= width
    cut = phone.page.evaluate(
        """() => [...document.querySelectorAll("#phone *")]
             .filter((e) => e.checkVisibility() && !e.closest("svg, .quiet"))
             .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 80)])
             .filter(([{ left, right }]) => right > innerWidth + 1 || left < -1)"""
    )
    assert cut == []
    expect(phone.words).to_be_in_viewport(ratio=1)
    sticker = phone.button("Nhãn dán")
    sticker.scroll_into_view_if_needed()
    expect(sticker).to_be_in_viewport(ratio=0.9)


def test_nothing_moves_for_people_who_asked_for_that(open_phone: OpenPhone, office: Office) -> None:
    office.silent = True
    names_of = "[...document.querySelectorAll('#typing *')].map(dot => getComputedStyle(dot).animationName)"
    for motion, expected in (("reduce", "none"), ("no-preference", "breathe")):
        phone = open_phone(reduced_motion=motion)
        phone.say("Chào")
        expect(phone.page.locator("#typing")).to_be_visible()
        assert set(phone.page.evaluate(names_of)) == {expected}

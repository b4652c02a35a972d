"""A conversation on the page, as a person has it: on a small phone and on a desktop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.outbox.port import Choice, IncomingKind
from tests.browser.conftest import OpenPage
from tests.browser.simulator.conftest import SIZES, PhonePage
from tests.contract.simulator.office import THANKS, Office, OfficeServer, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPhone = Callable[..., PhonePage]
EVERY_SIZE = pytest.mark.parametrize("size", SIZES)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763606860000000"
    "840082b5a1e2320000000049454e44ae426082"
)


@EVERY_SIZE
def test_whole_exchange_by_tap_number_and_word(open_phone: OpenPhone, office: Office, size: str) -> None:
    phone = open_phone(size)
    phone.button("Bắt đầu").click()
    expect(phone.theirs.last).to_contain_text("Bà con có đồng ý không ạ?")
    phone.button("1 Tôi đồng ý").click()
    expect(phone.theirs.last).to_contain_text(THANKS)
    expect(phone.own.last).to_contain_text("Tôi đồng ý")
    expect(phone.page.locator(".choices")).to_have_count(0)
    phone.say("1")
    phone.say("toi dong y")
    expect(phone.theirs).to_have_count(4)
    assert [(event.kind, event.text) for event in office.events] == [
        (IncomingKind.FOLLOWED, None),
        (IncomingKind.CHOICE, "consent:yes"),
        (IncomingKind.TEXT, "1"),
        (IncomingKind.TEXT, "toi dong y"),
    ]


@EVERY_SIZE
def test_newest_message_and_its_choices_stand_above_the_field(open_phone: OpenPhone, size: str) -> None:
    phone = open_phone(size)
    for number in range(12):
        phone.say(f"Tin thứ {number}: đường vào thôn hỏng nặng, mưa xuống là xe máy không đi được.")
    phone.page.reload()
    expect(phone.bubbles).to_have_count(24)
    field = phone.page.locator("#composer").bounding_box()
    newest = phone.bubbles.last.bounding_box()
    assert field is not None
    assert newest is not None
    assert newest["y"] + newest["height"] <= field["y"]
    width, height = SIZES[size]
    assert field["y"] + field["height"] <= height
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= width


def test_choices_take_the_place_of_the_numbered_list_until_answered(
    open_phone: OpenPhone, server: OfficeServer
) -> None:
    phone = open_phone()
    choices = (Choice("Phường Lào Cai", "commune:1"), Choice("Xã Bát Xát", "commune:2"))
    server.say(phone.person, "Dạ, xin chọn ạ:\n1. Phường Lào Cai\n2. Xã Bát Xát", *choices)
    expect(phone.button("2 Xã Bát Xát")).to_be_visible()
    expect(phone.theirs.last.locator(".listed")).to_be_hidden()
    phone.say("Bát Xát")
    expect(phone.button("2 Xã Bát Xát")).to_have_count(0)
    expect(phone.theirs.first.locator(".listed")).to_be_visible()


def test_message_without_choices_leaves_the_open_question_answerable(
    open_phone: OpenPhone, server: OfficeServer
) -> None:
    phone = open_phone()
    server.say(phone.person, "Đúng chưa ạ?\n1. Đúng", Choice("Đúng", "confirm:yes"))
    server.say(phone.person, "Thông báo: phiên đối thoại ngày 05/12/2026.")
    expect(phone.theirs).to_have_count(2)
    expect(phone.button("1 Đúng")).to_be_visible()


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFD", "Nhà văn hóa thôn dột hết mái, xã sửa giúp ạ"),
        "Cầu gãy 😢 👨‍👩‍👧‍👦 🇻🇳",
        "<img src=x onerror=alert(1)><b>đậm</b> {{ 7*7 }} &amp;",
        "/start",
        "x" * 400,
        ("Đường vào thôn hỏng nặng. " * 200)[:5_000],
    ],
    ids=["nfd", "emoji", "markup", "slash", "unbroken", "5000"],
)
def test_words_arrive_and_are_shown_exactly_as_typed(
    open_phone: OpenPhone, office: Office, text: str
) -> None:
    phone = open_phone()
    phone.say(text)
    assert [event.text for event in office.events] == [text]
    shown = phone.own.locator(".words").evaluate("words => words.textContent")
    assert shown == text
    expect(phone.theirs.last).to_contain_text(f"{len(text)} ký tự")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]
    assert phone.own.evaluate("bubble => bubble.scrollWidth <= bubble.clientWidth")


def test_too_long_text_stays_in_the_field_with_an_explanation(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone()
    phone.type("a" * 10_001)
    expect(phone.page.get_by_role("alert")).to_contain_text("10.001 ký tự, quá giới hạn 10.000")
    assert len(phone.words.input_value()) == 10_001
    assert office.calls == 0


def test_shift_enter_makes_a_line_and_the_field_grows(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone()
    lines = ["một", "hai", "ba", "bốn"]
    before = phone.words.bounding_box()
    for line in lines[:-1]:
        phone.words.press_sequentially(line)
        phone.words.press("Shift+Enter")
    phone.words.press_sequentially(lines[-1])
    after = phone.words.bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] > before["height"] * 1.8
    phone.words.press("Enter")
    expect(phone.theirs).to_have_count(1)
    assert office.events[0].text == "\n".join(lines)
    shrunk = phone.words.bounding_box()
    assert shrunk is not None
    assert shrunk["height"] == before["height"]


def test_enter_that_ends_an_input_methods_letter_does_not_send(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone()
    phone.words.fill("Đườn")
    phone.words.evaluate(
        """words => words.dispatchEvent(new KeyboardEvent("keydown",
             { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    phone.type("Đường")
    expect(phone.theirs).to_have_count(1)
    assert [event.text for event in office.events] == ["Đường"]


def test_blank_text_cannot_be_sent(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone()
    expect(phone.send).to_be_disabled()
    phone.type(" \n ")
    expect(phone.send).to_be_disabled()
    phone.words.fill("a")
    phone.send.click()
    expect(phone.theirs).to_have_count(1)
    assert office.calls == 1


def test_reply_is_awaited_with_a_sign_of_typing(open_phone: OpenPhone, server: OfficeServer) -> None:
    phone = open_phone()
    server.office.silent = True
    phone.say("Có ai không ạ")
    expect(phone.page.locator("#typing")).to_be_visible()
    expect(phone.page.get_by_text("Nghe Dân đang trả lời")).to_have_count(1)
    server.say(phone.person, "Dạ, có ạ")
    expect(phone.page.locator("#typing")).to_be_hidden()
    assert re.search(r"\d\d:\d\d", phone.theirs.last.inner_text())


def test_photo_voice_and_file_are_sent_and_a_refused_one_says_why(
    open_phone: OpenPhone, office: Office, tmp_path: Path
) -> None:
    phone = open_phone()
    phone.button("Gửi kèm").click()
    photo, voice = tmp_path / "cầu gãy.png", tmp_path / "ghi âm.mp3"
    photo.write_bytes(PNG)
    voice.write_bytes(b"ID3" + b"\x00" * 2_000)
    with phone.page.expect_file_chooser() as chosen:
        phone.button("Ảnh").click()
    chosen.value.set_files(photo)
    picture = phone.own.last.get_by_role("img", name="Ảnh: cầu gãy.png")
    expect(picture).to_be_visible()
    expect(phone.own.last).to_contain_text("Đã gửi")
    phone.page.locator("#pick-voice").set_input_files(voice)
    expect(phone.own.last).to_contain_text("ghi âm.mp3")
    phone.page.locator("#pick-file").set_input_files(
        {"name": "cài đặt.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}
    )
    expect(phone.own.last).to_contain_text("Không gửi được")
    expect(phone.own.last).to_contain_text("Loại tệp này không gửi được")
    phone.page.locator("#pick-file").set_input_files(
        {"name": "to.pdf", "mimeType": "application/pdf", "buffer": b"x" * 2_000_001}
    )
    expect(phone.page.get_by_role("alert")).to_contain_text("quá 2 MB")
    assert [event.kind for event in office.events] == [IncomingKind.PHOTO, IncomingKind.VOICE]
    phone.page.reload()
    kept = phone.page.get_by_role("img", name="Ảnh: cầu gãy.png")
    expect(kept).to_be_visible()
    wait_until(lambda: kept.evaluate("image => image.naturalWidth") == 1)


def test_place_of_the_device_or_typed_coordinates_are_sent(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone(permissions=["geolocation"], geolocation={"latitude": 22.3364, "longitude": 103.8438})
    phone.button("Gửi kèm").click()
    phone.button("Vị trí").click()
    phone.button("Lấy vị trí của máy này").click()
    expect(phone.own.last).to_contain_text("22,3364; 103,8438")
    phone.button("Gửi kèm").click()
    phone.button("Vị trí").click()
    phone.page.get_by_label("Vĩ độ").fill("21.5")
    phone.button("Gửi vị trí này").click()
    expect(phone.theirs).to_have_count(2)
    places = [event.attachments[0] for event in office.events]
    assert [place.latitude for place in places] == [22.3364, 21.5]


def test_refused_place_of_the_device_asks_for_coordinates(open_phone: OpenPhone, office: Office) -> None:
    phone = open_phone()
    phone.button("Gửi kèm").click()
    phone.button("Vị trí").click()
    phone.button("Lấy vị trí của máy này").click()
    expect(phone.page.locator("#place").get_by_role("alert")).to_contain_text("Xin nhập tọa độ")
    assert office.calls == 0


def test_reload_keeps_the_conversation_and_a_new_person_starts_empty(
    open_phone: OpenPhone, office: Office
) -> None:
    phone = open_phone()
    first = phone.person
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    phone.say("Cầu gãy")
    expect(phone.theirs).to_have_count(1)
    phone.page.reload()
    expect(phone.bubbles).to_have_count(2)
    assert phone.person == first
    phone.button("Người mới").click()
    phone.page.get_by_role("dialog").get_by_role("button", name="Giữ lại").click()
    expect(phone.bubbles).to_have_count(2)
    phone.button("Người mới").click()
    phone.page.get_by_role("dialog").get_by_role("button", name="Người mới").click()
    expect(phone.bubbles).to_have_count(0)
    expect(phone.button("Bắt đầu")).to_be_visible()
    phone.say("Chào")
    assert {event.sender_id for event in office.events} == {first, phone.person}
    assert first != phone.person


def test_second_phone_of_the_same_browser_is_another_person(
    browser_page: OpenPage, server: OfficeServer
) -> None:
    one = PhonePage(browser_page(f"{server.url}/simulator"))
    with one.page.expect_popup() as opened:
        one.page.get_by_role("link", name="Mở thêm một điện thoại").click()
    two = PhonePage(opened.value)
    expect(two.page.get_by_role("heading", level=1)).to_contain_text("Giả lập 2")
    two.say("Tôi ở điện thoại hai")
    expect(two.theirs).to_have_count(1)
    expect(one.bubbles).to_have_count(0)
    assert one.person != two.person


def test_same_phone_in_two_tabs_shows_the_same_conversation(
    browser_page: OpenPage, server: OfficeServer
) -> None:
    one = PhonePage(browser_page(f"{server.url}/simulator"))
    other = PhonePage(one.page.context.new_page())
    other.page.goto(f"{server.url}/simulator")
    assert one.person == other.person
    one.say("Từ thẻ một")
    for tab in (one, other):
        expect(tab.bubbles).to_have_count(2)
    other.button("Người mới").click()
    other.page.get_by_role("dialog").get_by_role("button", name="Người mới").click()
    for tab in (one, other):
        expect(tab.button("Bắt đầu")).to_be_visible()
    other.say("Từ thẻ hai")
    expect(one.own.last).to_contain_text("Từ thẻ hai")
    assert len({event.sender_id for event in server.office.events}) == 2


def test_desktop_shows_a_phone_beside_a_note_with_samples_to_try(
    open_phone: OpenPhone, office: Office
) -> None:
    phone = open_phone("desktop")
    note = phone.page.get_by_role("complementary")
    expect(note.get_by_role("heading", name="Đây là điện thoại giả lập")).to_be_visible()
    assert note.get_by_role("listitem").count() == 3
    frame = phone.page.locator("#phone").bounding_box()
    assert frame is not None
    assert 350 < frame["width"] < 450
    assert abs(frame["x"] + frame["width"] / 2 - 640) < 10
    note.get_by_role("button", name="TRẠNG THÁI").click()
    expect(phone.words).to_be_focused()
    phone.words.press("Enter")
    expect(phone.theirs).to_have_count(1)
    assert office.events[0].text == "TRẠNG THÁI"


def test_small_screen_is_all_phone_and_keeps_the_note_behind_a_button(open_phone: OpenPhone) -> None:
    phone = open_phone()
    expect(phone.page.get_by_role("complementary")).to_be_hidden()
    frame = phone.page.locator("#phone").bounding_box()
    assert frame == {"x": 0, "y": 0, "width": 360, "height": 740}
    phone.button("Trang này là gì?").click()
    guide = phone.page.get_by_role("dialog")
    guide.get_by_role("button", name="TRẠNG THÁI").click()
    expect(guide).to_be_hidden()
    assert phone.words.input_value() == "TRẠNG THÁI"


def test_reader_of_old_messages_is_not_pulled_away_but_told(
    open_phone: OpenPhone, server: OfficeServer
) -> None:
    phone = open_phone()
    for number in range(20):
        server.say(phone.person, f"Tin {number}\n\n\n")
    expect(phone.theirs).to_have_count(20)
    talk = phone.page.get_by_role("log")
    talk.evaluate("talk => { talk.scrollTop = 0 }")
    wait_until(lambda: talk.evaluate("talk => talk.scrollTop") == 0)
    phone.page.wait_for_timeout(100)
    server.say(phone.person, "Tin mới nhất")
    newest = phone.button("Tin mới")
    expect(newest).to_be_visible()
    assert talk.evaluate("talk => talk.scrollTop") == 0
    newest.click()
    expect(phone.theirs.last).to_be_in_viewport()
    expect(newest).to_be_hidden()

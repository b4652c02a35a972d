"""The line breaks: the page says so, mends itself, loses nothing and sends nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.simulator.conftest import PhonePage
from tests.contract.simulator.office import Office, OfficeServer, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPhone = Callable[..., PhonePage]
AWAY = "Mất kết nối với máy chủ"


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_what_is_written_while_the_server_is_away_arrives_once_when_it_is_back(
    open_phone: OpenPhone, server: OfficeServer, size: str
) -> None:
    phone = open_phone(size)
    phone.say("Trước khi mất")
    expect(phone.theirs).to_have_count(1)
    server.stop()
    expect(phone.notice).to_contain_text(AWAY)
    phone.type("Trong lúc mất 1")
    phone.type("Trong lúc mất 2")
    expect(phone.own.last).to_contain_text("Chờ gửi")
    server.start()
    expect(phone.own.last).to_contain_text("Đã gửi", timeout=15_000)
    expect(phone.notice).to_contain_text("Đã nối lại")
    expect(phone.theirs).to_have_count(3)
    assert [event.text for event in server.office.events] == [
        "Trước khi mất",
        "Trong lúc mất 1",
        "Trong lúc mất 2",
    ]
    expect(phone.own).to_have_count(3)
    expect(phone.notice).to_be_empty()


def test_short_break_is_mended_without_a_notice(open_phone: OpenPhone, server: OfficeServer) -> None:
    phone = open_phone()
    phone.say("Chào")
    expect(phone.theirs).to_have_count(1)
    server.stop()
    server.start()
    wait_until(lambda: server.office.channel.talks.listening == 1)
    server.say(phone.person, "Sau khi nối lại")
    expect(phone.theirs.last).to_contain_text("Sau khi nối lại")
    expect(phone.notice).to_be_empty()
    expect(phone.bubbles).to_have_count(3)


def test_message_whose_confirmation_was_lost_is_stored_and_shown_once(
    open_phone: OpenPhone, office: Office
) -> None:
    phone = open_phone()
    lost: list[int] = []

    def lose_first_answer(route: Route) -> None:
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
        else:
            lost.append(answer.status)
            route.abort()

    phone.page.route("**/api/messages", lose_first_answer)
    phone.say("Cầu gãy")
    wait_until(lambda: office.calls == 1)
    phone.say("Tin sau")
    expect(phone.theirs).to_have_count(2)
    assert lost == [201]
    assert [event.text for event in office.events] == ["Cầu gãy", "Tin sau"]
    expect(phone.own).to_have_count(2)


def test_message_of_a_closed_page_goes_out_once_when_it_is_opened_again(
    open_phone: OpenPhone, server: OfficeServer
) -> None:
    phone = open_phone()
    page = phone.page
    page.route("**/api/messages", lambda route: route.abort())
    phone.type("Viết xong thì đóng máy")
    expect(phone.own.last).to_contain_text("Chờ gửi")
    again = PhonePage(page.context.new_page())
    page.close()
    again.page.goto(f"{server.url}/simulator")
    expect(again.own.last).to_contain_text("Đã gửi")
    expect(again.theirs).to_have_count(1)
    again.page.reload()
    expect(again.bubbles).to_have_count(2)
    assert [event.text for event in server.office.events] == ["Viết xong thì đóng máy"]


def test_file_that_was_not_sent_before_the_page_closed_must_be_chosen_again(
    open_phone: OpenPhone, office: Office
) -> None:
    phone = open_phone()
    phone.page.route("**/api/files", lambda route: route.abort())
    phone.page.locator("#pick-file").set_input_files(
        {"name": "đơn.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    expect(phone.own.last).to_contain_text("Chờ gửi")
    phone.page.reload()
    expect(phone.own.last).to_contain_text("Xin chọn lại tệp")
    assert office.calls == 0


def test_message_that_the_office_cannot_store_waits_until_it_can(
    open_phone: OpenPhone, office: Office
) -> None:
    phone = open_phone()
    office.broken = True
    phone.type("Cầu gãy")
    expect(phone.own.last).to_contain_text("Chờ gửi")
    expect(phone.notice).to_contain_text(AWAY)
    office.broken = False
    expect(phone.own.last).to_contain_text("Đã gửi")
    expect(phone.theirs).to_have_count(1)
    assert len(office.stored) == 1


def test_page_asks_where_streams_do_not_pass(open_phone: OpenPhone, server: OfficeServer) -> None:
    phone = open_phone(query="?phone=3")
    phone.page.route("**/api/stream*", lambda route: route.abort())
    phone.page.reload()
    phone.say("Không có luồng")
    expect(phone.theirs.last).to_contain_text("14 ký tự")
    server.say(phone.person, "Tin tự đến")
    expect(phone.theirs.last).to_contain_text("Tin tự đến")
    expect(phone.notice).to_be_empty()
    expect(phone.bubbles).to_have_count(3)

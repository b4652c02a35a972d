"""The page's API over HTTP: what is posted is stored once and exactly, what is said is on one phone only."""

from __future__ import annotations

import re
import secrets
import unicodedata
from urllib.parse import quote

import httpx
import pytest

from bot.simulator.channel import SimulatorChannel
from core.outbox.port import Choice, IncomingKind
from tests.contract.simulator.conftest import Phone
from tests.contract.simulator.office import GREETING, THANKS, Office, OfficeServer, wait_until

JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 60
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 60


# ---- the page ----------------------------------------------------------------------------------------------


def test_page_is_vietnamese_and_runs_only_its_own_files(http: httpx.Client) -> None:
    page = http.get("/simulator")
    assert page.status_code == 200
    assert '<html lang="vi">' in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page.text)
    assert all(not body.strip() for body in re.findall(r"<script[^>]*>(.*?)</script>", page.text, re.DOTALL))
    named = re.findall(r'(?:src|href)="([^"?]+)"', page.text)
    assert {name for name in named if name != "/"} <= {
        f"/simulator/static/{file}" for file in ("page.css", "phone.js", "icon.svg")
    }
    for name in named:
        if name != "/":
            assert http.get(name).status_code == 200


def test_every_script_that_is_imported_is_served_with_its_type(http: httpx.Client) -> None:
    wanted = {"phone.js"}
    for name in list(wanted):
        script = http.get(f"/simulator/static/{name}")
        wanted |= set(re.findall(r'from "\./([\w.]+)"', script.text))
    assert len(wanted) == 5
    for name in wanted:
        answer = http.get(f"/simulator/static/{name}")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert "http://www.w3.org" in answer.text or "http" not in answer.text


@pytest.mark.parametrize("name", ["channel.py", "..%2fchannel.py", "%2e%2e/routes.py", "page.html", ""])
def test_nothing_else_is_served_as_a_static_file(http: httpx.Client, name: str) -> None:
    assert http.get(f"/simulator/static/{name}").status_code == 404


def test_second_phone_says_which_one_it_is(http: httpx.Client) -> None:
    assert 'data-phone="1"' in http.get("/simulator").text
    assert 'data-phone="2"' in http.get("/simulator?phone=2").text
    assert http.get("/simulator?phone=99").status_code == 422


# ---- messages ----------------------------------------------------------------------------------------------

TEXTS = {
    "diacritics": "Đường vào thôn bị sạt, các cháu đi học rất nguy hiểm.",
    "nfd": unicodedata.normalize("NFD", "Nhà văn hóa thôn dột hết mái ạ"),
    "emoji": "Cầu gãy 😢👨‍👩‍👧‍👦🇻🇳",
    "slash": "/start nguoi_dan{}",
    "markup": "<img src=x onerror=alert(1)> & {{ 7 * 7 }}",
    "lines": "một\n\n\nhai\tba\u0000bốn\u200e",
    "long": "Đường hỏng. " * 416 + "12345678",
    "empty": "",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_received_exactly_as_it_was_typed(phone: Phone, office: Office, name: str) -> None:
    text = TEXTS[name]
    assert phone.post("text", text=text).status_code == 201
    (event,) = office.events
    assert (event.kind, event.text) == (IncomingKind.TEXT, text)
    assert (event.channel, event.account_id) == (SimulatorChannel.name, SimulatorChannel.account_id)
    assert event.sender_id == phone.person
    assert event.occurred_at.utcoffset() is not None
    own, reply = phone.wait_for(2)
    assert (own["author"], own["text"]) == ("person", text)
    assert (reply["author"], reply["kind"]) == ("bot", "text")
    assert f"{len(text)} ký tự" in reply["text"]


def test_five_thousand_emoji_pass(phone: Phone, office: Office) -> None:
    assert phone.post("text", text="😢" * 5_000).status_code == 201
    assert office.events[0].text == "😢" * 5_000


def test_half_an_emoji_becomes_a_whole_character(phone: Phone, office: Office) -> None:
    body = f'{{"person": "{phone.person}", "id": "half-emoji", "kind": "text", "text": "a\\ud83db"}}'
    answer = phone.http.post(
        "/simulator/api/messages", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 201
    assert office.events[0].text == "a\ufffdb"


def test_tapped_choice_sends_its_value_and_shows_its_label(phone: Phone, office: Office) -> None:
    phone.post("follow")
    greeting = phone.wait_for(2)[1]
    assert greeting["text"] == GREETING
    choice = greeting["choices"][0]
    assert phone.post("choice", **choice).status_code == 201
    assert (office.events[1].kind, office.events[1].text) == (IncomingKind.CHOICE, "consent:yes")
    bubbles = phone.wait_for(4)
    assert [(bubble["author"], bubble["text"]) for bubble in bubbles[2:]] == [
        ("person", "Tôi đồng ý"),
        ("bot", THANKS),
    ]


def test_sticker_location_and_follow_have_their_kinds(phone: Phone, office: Office) -> None:
    phone.post("sticker")
    phone.post("location", latitude=22.4809, longitude=103.9755)
    phone.post("follow")
    assert [event.kind for event in office.events] == [
        IncomingKind.STICKER,
        IncomingKind.LOCATION,
        IncomingKind.FOLLOWED,
    ]
    (place,) = office.events[1].attachments
    assert (place.kind, place.latitude, place.longitude) == (IncomingKind.LOCATION, 22.4809, 103.9755)
    shown = next(bubble for bubble in phone.ask()[0] if bubble["kind"] == "location")
    assert (shown["latitude"], shown["longitude"]) == (22.4809, 103.9755)


def test_repeated_message_is_received_once_and_shown_once(phone: Phone, office: Office) -> None:
    first = phone.post("text", text="Cầu gãy", message_id="the-same-id")
    second = phone.post("text", text="Cầu gãy", message_id="the-same-id")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert office.calls == 1
    assert len(phone.wait_for(2)) == 2


def test_same_message_id_of_two_people_is_two_messages(
    phone: Phone, other_phone: Phone, office: Office
) -> None:
    phone.post("text", text="một", message_id="the-same-id")
    other_phone.post("text", text="hai", message_id="the-same-id")
    assert len(office.stored) == 2


def test_repeat_after_a_restart_carries_the_same_external_id(
    phone: Phone, office: Office, server: OfficeServer
) -> None:
    phone.post("text", text="Cầu gãy", message_id="the-same-id")
    server.stop()
    server.start()
    assert phone.post("text", text="Cầu gãy", message_id="the-same-id").status_code == 201
    assert office.calls == 2
    assert len(office.stored) == 1


def test_message_that_could_not_be_stored_is_neither_confirmed_nor_shown(
    phone: Phone, office: Office, server: OfficeServer
) -> None:
    office.broken = True
    with httpx.Client(base_url=server.url, trust_env=False) as http:  # The server hangs up after a 500.
        failed = Phone(http, phone.person).post("text", text="Cầu gãy", message_id="the-same-id")
    assert failed.status_code == 500
    assert phone.ask()[0] == []
    office.broken = False
    assert phone.post("text", text="Cầu gãy", message_id="the-same-id").status_code == 201
    assert [event.text for event in office.events] == ["Cầu gãy"]


SECRET = "điều riêng tư"
UNREADABLE: dict[str, dict[str, object]] = {
    "no kind": {"text": SECRET},
    "unknown kind": {"kind": "payment", "text": SECRET},
    "no text": {"kind": "text"},
    "text is a number": {"kind": "text", "text": 7},
    "too many characters": {"kind": "text", "text": SECRET + "a" * 10_000},
    "unknown field": {"kind": "text", "text": SECRET, "as": "staff"},
    "choice without label": {"kind": "choice", "value": SECRET},
    "choice value over 64 bytes": {"kind": "choice", "value": SECRET * 6, "label": "a"},
    "no such place": {"kind": "location", "latitude": 122, "longitude": 103},
    "short person": {"person": "1", "kind": "text", "text": SECRET},
    "person with a path": {"person": "../" * 8, "kind": "text", "text": SECRET},
    "person with a line end": {"person": "a" * 32 + "\n", "kind": "text", "text": SECRET},
    "short id": {"id": "1", "kind": "text", "text": SECRET},
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_message_is_refused_in_vietnamese_without_its_words(
    phone: Phone, office: Office, name: str
) -> None:
    message: dict[str, object] = {"person": phone.person, "id": secrets.token_hex(16)}
    message |= UNREADABLE[name]
    answer = phone.http.post("/simulator/api/messages", json=message)
    assert answer.status_code == 422
    assert answer.json()["detail"]["code"] == "unreadable"
    assert "Máy chủ" in answer.json()["detail"]["text"]
    assert SECRET not in answer.text
    assert office.calls == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"a":NaN}', b"[" * 60_000, b'{"kind":["text"]}']
)
def test_body_that_is_no_message_is_refused(http: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert http.post("/simulator/api/messages", content=body, headers=headers).status_code == 422


def test_post_that_another_site_could_make_is_refused(phone: Phone, office: Office) -> None:
    body = f'{{"person": "{phone.person}", "id": "cross-site", "kind": "text", "text": "a"}}'
    simple = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
    for content_type in simple:
        headers = {"Content-Type": content_type}
        assert phone.http.post("/simulator/api/messages", content=body, headers=headers).status_code == 415
    assert office.calls == 0
    preflight = phone.http.options(
        "/simulator/api/messages",
        headers={"Origin": "https://elsewhere.vn", "Access-Control-Request-Method": "POST"},
    )
    assert "access-control-allow-origin" not in preflight.headers


def test_body_over_the_limit_is_refused_with_or_without_a_length(phone: Phone, office: Office) -> None:
    body = b'{"text": "' + b"a" * 200_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    for content in (body, iter([body[:100_000], body[100_000:]])):
        answer = phone.http.post("/simulator/api/messages", content=content, headers=headers)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "text_too_long")
    assert office.calls == 0


# ---- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "name", "kind", "mime_type"),
    [
        ("image/jpeg", "cầu.jpg", IncomingKind.PHOTO, "image/jpeg"),
        ("image/png", "", IncomingKind.PHOTO, "image/png"),
        ("audio/ogg; codecs=opus", "ghi âm.ogg", IncomingKind.VOICE, "audio/ogg"),
        ("", "ghi.mp3", IncomingKind.VOICE, "audio/mpeg"),
        ("video/mp4", "quay.mp4", IncomingKind.VIDEO, "video/mp4"),
        ("application/pdf", "Đơn kiến nghị.pdf", IncomingKind.FILE, "application/pdf"),
        ("application/octet-stream", "đơn.docx", IncomingKind.FILE, None),
    ],
)
async def test_file_is_received_with_its_kind_and_can_be_fetched(
    phone: Phone, office: Office, declared: str, name: str, kind: IncomingKind, mime_type: str | None
) -> None:
    assert phone.upload(JPEG, name=quote(name), mime_type=declared).status_code == 201
    (event,) = office.events
    (attachment,) = event.attachments
    assert event.kind is attachment.kind is kind
    assert attachment.file_name == (name or None)
    assert attachment.size_bytes == len(JPEG)
    if mime_type is not None:
        assert attachment.mime_type == mime_type
    download = await office.channel.fetch(attachment, max_bytes=50_000)
    assert download.content == JPEG
    own = phone.wait_for(2)[0]
    assert own["file"]["name"] == (name or None)


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("text/html", "a.html"),
        ("image/svg+xml", "a.svg"),
        ("application/x-msdownload", "a.exe"),
        ("", ""),
        ("application/javascript", "a.js"),
    ],
)
def test_file_of_an_unsafe_or_unknown_type_is_refused(
    phone: Phone, office: Office, declared: str, name: str
) -> None:
    answer = phone.upload(b"<script>", name=name, mime_type=declared)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (415, "file_type")
    assert office.calls == 0


def test_empty_too_large_or_nameless_sender_files_are_refused(phone: Phone, office: Office) -> None:
    assert phone.upload(b"", mime_type="image/jpeg").status_code == 422
    assert phone.upload(JPEG * 1_000, mime_type="image/jpeg").status_code == 413
    assert phone.upload(JPEG, mime_type="image/jpeg", message_id="1").status_code == 422
    phone.person = "../../etc"
    assert phone.upload(JPEG, mime_type="image/jpeg").status_code == 422
    assert office.calls == 0


def test_repeated_upload_is_received_once_even_across_a_restart(
    phone: Phone, office: Office, server: OfficeServer
) -> None:
    for expected in (201, 200):
        answer = phone.upload(JPEG, mime_type="image/jpeg", message_id="the-same-id")
        assert answer.status_code == expected
    server.stop()
    server.start()
    phone.upload(JPEG, mime_type="image/jpeg", message_id="the-same-id")
    (event,) = office.events
    kept = phone.http.get(f"/simulator/api/files/{event.attachments[0].file_ref}")
    assert kept.content == JPEG


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("..%2F..%2Fetc%2Fpasswd.pdf", "passwd.pdf"),
        ("C%3A%5CUsers%5Ca%5C%C4%91%C6%A1n.pdf", "đơn.pdf"),
        ("a%00b%0Ac.pdf", "abc.pdf"),
        (quote("đơn " * 100 + ".pdf"), None),
        ("%FF%FE.pdf", "\ufffd\ufffd.pdf"),
    ],
)
def test_file_name_loses_folders_and_control_characters(
    phone: Phone, office: Office, name: str, plain: str | None
) -> None:
    phone.upload(b"%PDF", name=name, mime_type="application/pdf")
    kept = office.events[0].attachments[0].file_name
    assert kept is not None
    assert kept.endswith(".pdf")
    assert len(kept) <= 120
    assert plain is None or kept == plain


def test_sent_picture_is_served_harmlessly_and_other_content_is_not(phone: Phone, office: Office) -> None:
    phone.upload(PNG, mime_type="image/jpeg")
    phone.upload(b"<html><script>alert(1)</script>", mime_type="image/png")
    phone.upload(b"%PDF-1.7", mime_type="application/pdf")
    refs = [event.attachments[0].file_ref for event in office.events]
    picture, disguised, document = (phone.http.get(f"/simulator/api/files/{ref}") for ref in refs)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert (disguised.status_code, document.status_code) == (404, 404)
    assert phone.http.get(f"/simulator/api/files/{'0' * 32}").status_code == 404


# ---- what appears on the phone -----------------------------------------------------------------------------


def test_nobody_sees_another_persons_messages(phone: Phone, other_phone: Phone, server: OfficeServer) -> None:
    phone.post("text", text="Chuyện riêng")
    phone.wait_for(2)
    assert other_phone.ask()[0] == []
    with other_phone.stream() as events:
        assert next(events).name == "beat"
        server.say(phone.person, "Trả lời riêng")
        server.say(other_phone.person, "Trả lời chung")
        first = next(event for event in events if event.name == "message")
    assert first.data["text"] == "Trả lời chung"


def test_page_beyond_the_last_stream_is_told_so_and_may_still_ask(phone: Phone, server: OfficeServer) -> None:
    server.say(phone.person, "Tin 0")
    with phone.stream() as one, phone.stream() as two, phone.stream() as three:
        assert [next(events).data["text"] for events in (one, two, three)] == ["Tin 0"] * 3
        refused = phone.http.get("/simulator/api/stream", params={"person": phone.person})
        assert (refused.status_code, refused.json()["detail"]["code"]) == (429, "busy")
        assert phone.ask()[0][0]["text"] == "Tin 0"


def test_stream_gives_what_is_there_then_what_comes_and_beats_between(
    phone: Phone, server: OfficeServer
) -> None:
    server.say(phone.person, "Tin cũ")
    with phone.stream() as events:
        assert next(events).data["text"] == "Tin cũ"
        assert next(events).name == "beat"
        server.say(phone.person, "Tin mới", Choice("Có", "a:1"))
        fresh = next(event for event in events if event.name == "message")
        assert fresh.data["choices"] == [{"label": "Có", "value": "a:1"}]


def test_stream_goes_on_where_the_page_stopped_reading(phone: Phone, server: OfficeServer) -> None:
    for number in range(3):
        server.say(phone.person, f"Tin {number}")
    with phone.stream() as events:
        second = [next(events), next(events)][1]
    with phone.stream(after=second.id) as events:
        assert next(events).data["text"] == "Tin 2"
    # A browser that reconnects by itself repeats the old address with the newer id in a header.
    with phone.stream(after="old-0", last_event_id=second.id) as events:
        assert next(events).data["text"] == "Tin 2"


def test_asking_and_streaming_share_their_cursors(phone: Phone, server: OfficeServer) -> None:
    server.say(phone.person, "Tin 0")
    messages, cursor = phone.ask()
    assert [message["text"] for message in messages] == ["Tin 0"]
    assert phone.ask(cursor) == ([], cursor)
    server.say(phone.person, "Tin 1")
    with phone.stream(after=cursor) as events:
        event = next(events)
    assert event.data["text"] == "Tin 1"
    assert phone.ask(event.id) == ([], event.id)


def test_cursor_from_before_a_restart_misses_nothing_new(phone: Phone, server: OfficeServer) -> None:
    for number in range(5):
        server.say(phone.person, f"Cũ {number}")
    cursor = phone.ask()[1]
    server.stop()
    server.start()
    server.say(phone.person, "Mới")
    assert [message["text"] for message in phone.ask(cursor)[0]] == ["Mới"]


def test_left_stream_leaves_no_listener_behind(phone: Phone, office: Office) -> None:
    with phone.stream() as events:
        next(events)
        assert office.channel.talks.listening == 1
    wait_until(lambda: office.channel.talks.listening == 0, within_s=3)


def test_streams_end_when_the_channel_closes(phone: Phone, office: Office, server: OfficeServer) -> None:
    with phone.stream() as events:
        next(events)
        server.run(office.channel.close())
        assert all(event.name == "beat" for event in events)


def test_phone_is_not_readable_without_its_whole_id(http: httpx.Client) -> None:
    for path in ("/simulator/api/messages", "/simulator/api/stream"):
        assert http.get(path).status_code == 422
        assert http.get(path, params={"person": "1"}).status_code == 422

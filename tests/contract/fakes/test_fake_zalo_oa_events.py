"""How the fake OA tells the webhook: signature, shapes, echoes, receipts, repetitions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.world import Happening, ManualClock, NotOnThisPlatform, Platform, World
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake, ZaloOARules
from bot.rehearsal.fakes.zalo_oa_phone import ZaloOAPhone


@pytest.fixture
async def served(world: World, receiver: Any) -> AsyncIterator[RunningFakes]:
    """Fakes whose OA posts to the receiver and repeats ten thousand times faster."""
    oa = ZaloOAFake(world, rules=ZaloOARules(time_factor=0.0001))
    oa.set_webhook(receiver.url)
    async with running_fakes(world=world, zalo_oa=oa) as fakes:
        yield fakes


async def _say(client: httpx.AsyncClient, fakes: RunningFakes, phone: ZaloOAPhone, message: Any) -> str:
    base, oa = fakes.urls[Platform.ZALO_OA], fakes.zalo_oa
    form = {"app_id": oa.app_id, "grant_type": "refresh_token", "refresh_token": oa.tokens.refresh_token}
    pair = await client.post(f"{base}/v4/oa/access_token", data=form, headers={"secret_key": oa.app_secret})
    answer = await client.post(
        f"{base}/v3.0/oa/message/cs",
        json={"recipient": {"user_id": phone.chat_id}, "message": message},
        headers={"access_token": pair.json()["access_token"]},
    )
    message_id: str = answer.json()["data"]["message_id"]
    return message_id


Act = Callable[[ZaloOAPhone], Any]
Reading = Callable[[dict[str, Any]], Any]


def _payload(event: dict[str, Any]) -> Any:
    (attachment,) = event["message"]["attachments"]
    return attachment["payload"]


EVENTS: list[tuple[str, Act, Reading, Any]] = [
    ("user_send_text", lambda p: p.write("Đường hỏng"), lambda e: e["message"]["text"], "Đường hỏng"),
    ("user_send_image", lambda p: p.send_photo(), lambda e: _payload(e).keys(), {"thumbnail", "url"}),
    ("user_send_image", lambda p: p.send_photo(caption="Ổ gà"), lambda e: e["message"]["text"], "Ổ gà"),
    ("user_send_audio", lambda p: p.send_voice(), lambda e: _payload(e).keys(), {"url"}),
    (
        "user_send_video",
        lambda p: p.send_video(),
        lambda e: _payload(e).keys(),
        {"url", "thumbnail", "description"},
    ),
    (
        "user_send_file",
        lambda p: p.send_file(b"abc", name="đơn.pdf"),
        lambda e: [_payload(e)[k] for k in ("size", "name", "checksum", "type")],
        ["3", "đơn.pdf", "900150983cd24fb0d6963f7d28e17f72", "pdf"],
    ),
    ("user_send_sticker", lambda p: p.send_sticker(), lambda e: _payload(e).keys(), {"id", "url"}),
    (
        "user_send_location",
        lambda p: p.send_location(22.48, 103.97),
        lambda e: _payload(e)["coordinates"],
        {"latitude": "22.48", "longitude": "103.97"},
    ),
    (
        "user_send_link",
        lambda p: p.send_link("https://x.vn", description="báo"),
        lambda e: _payload(e)["description"],
        "báo",
    ),
    (
        "user_send_business_card",
        lambda p: p.send_unsupported(),
        lambda e: _payload(e).keys(),
        {"thumbnail", "url", "description"},
    ),
    (
        "user_submit_info",
        lambda p: p.submit_info(name="Lan", phone="84912"),
        lambda e: e["info"]["phone"],
        "84912",
    ),
    ("user_withdraw", lambda p: p.withdraw_data(), lambda e: e["sender"]["id"].isdecimal(), True),
    (
        "user_reacted_message",
        lambda p: p.react("m1"),
        lambda e: e["message"],
        {"msg_id": "m1", "react_icon": "/-heart"},
    ),
]


@pytest.mark.parametrize(
    ("name", "act", "reading", "expected"), EVENTS, ids=[f"{n}-{e[0]}" for n, e in enumerate(EVENTS)]
)
async def test_what_a_person_does_is_an_event(
    served: RunningFakes, receiver: Any, name: str, act: Act, reading: Reading, expected: Any
) -> None:
    phone = served.zalo_oa.add_person("Lan")
    message_id = act(phone)
    (request,) = await receiver.wait_for(1)
    event = request.event
    assert event["event_name"] == name
    assert event["app_id"] == served.zalo_oa.app_id
    assert event["timestamp"].isdecimal()
    assert (event["sender"], event["recipient"]) == ({"id": phone.chat_id}, {"id": served.zalo_oa.oa_id})
    assert event["user_id_by_app"] == phone.user_id_by_app
    assert reading(event) == expected
    if name.startswith("user_send"):
        assert event["message"]["msg_id"] == message_id


async def test_follow_and_unfollow_name_the_oa_and_the_follower(served: RunningFakes, receiver: Any) -> None:
    phone = served.zalo_oa.add_person("Lan")
    phone.follow()
    phone.unfollow()
    follow, unfollow = [r.event for r in await receiver.wait_for(2)]
    assert follow["source"] == "oa_profile"
    for name, event in (("follow", follow), ("unfollow", unfollow)):
        assert event["event_name"] == name
        assert (event["oa_id"], event["follower"]) == (served.zalo_oa.oa_id, {"id": phone.chat_id})
        assert "message" not in event
    assert follow["timestamp"] != unfollow["timestamp"]
    with pytest.raises(NotOnThisPlatform):
        phone.follow("payload")


@pytest.mark.parametrize("prefix", ["mac=", ""])
async def test_the_signature_is_plain_sha256_over_app_body_time_and_secret(
    world: World, receiver: Any, prefix: str
) -> None:
    oa = ZaloOAFake(world, app_id="4000111", oa_secret_key="khóa", rules=ZaloOARules(signature_prefix=prefix))
    oa.set_webhook(receiver.url)
    async with running_fakes(world=world, zalo_oa=oa):
        oa.add_person("Lan").write("Đường hỏng")
        (request,) = await receiver.wait_for(1)
    timestamp = request.event["timestamp"]
    expected = hashlib.sha256(b"4000111" + request.body + timestamp.encode() + "khóa".encode()).hexdigest()
    assert request.headers["x-zevent-signature"] == prefix + expected
    assert request.headers["x-zevent-timestamp"] == timestamp
    assert request.headers["user-agent"] == "Java/1.8.0_192"


async def test_a_send_is_echoed_and_received_and_seen(
    client: httpx.AsyncClient, served: RunningFakes, receiver: Any
) -> None:
    oa = served.zalo_oa
    lan = oa.add_person("Lan")
    lan.write("a")
    first = await _say(client, served, lan, {"text": "một"})
    second = await _say(client, served, lan, {"text": "hai"})
    await receiver.wait_for(5)
    lan.read()
    lan.read()
    await receiver.wait_for(6)
    assert await served.settled(timeout_s=1)
    echo = receiver.named("oa_send_text")[0].event
    assert (echo["sender"], echo["recipient"]) == ({"id": oa.oa_id}, {"id": lan.chat_id})
    assert echo["message"] == {"msg_id": first, "text": "một"}
    received = [r.event for r in receiver.named("user_received_message")]
    assert [e["message"]["msg_id"] for e in received] == [first, second]
    assert (received[0]["sender"], received[0]["recipient"]) == ({"id": oa.oa_id}, {"id": lan.chat_id})
    (seen,) = [r.event for r in receiver.named("user_seen_message")]
    assert seen["message"] == {"msg_ids": [first, second]}
    assert len(receiver.requests) == 6


async def test_a_clerk_in_the_console_is_named_in_the_echo(served: RunningFakes, receiver: Any) -> None:
    lan = served.zalo_oa.add_person("Lan")
    message_id = served.zalo_oa.clerk_writes(lan, "Tôi là cán bộ xã", admin_id="77")
    await receiver.wait_for(2)
    (echo,) = [r.event for r in receiver.named("oa_send_text")]
    assert echo["sender"] == {"id": served.zalo_oa.oa_id, "admin_id": "77"}
    assert echo["message"]["msg_id"] == message_id
    assert lan.screen[0].text == "Tôi là cán bộ xã"


@pytest.mark.parametrize("kind", ["oa.query.show", "oa.query.hide"])
async def test_a_tapped_query_button_arrives_as_an_ordinary_text(
    client: httpx.AsyncClient, served: RunningFakes, receiver: Any, kind: str
) -> None:
    lan = served.zalo_oa.add_person("Lan")
    lan.write("a")
    buttons = [{"title": "Đồng ý", "type": kind, "payload": "dong_y"}]
    message = {"text": "Gửi?", "attachment": {"type": "template", "payload": {"buttons": buttons}}}
    await _say(client, served, lan, message)
    message_id = lan.tap("Đồng ý")
    await receiver.wait_for(4)
    tapped = receiver.named("user_send_text")[-1].event
    assert tapped["message"] == {"msg_id": message_id, "text": "dong_y"}


async def test_receipts_can_be_turned_round_or_off(
    client: httpx.AsyncClient, world: World, receiver: Any
) -> None:
    turned = ZaloOAFake(world, rules=ZaloOARules(receipt_sender_is_oa=False))
    turned.set_webhook(receiver.url)
    async with running_fakes(world=world, zalo_oa=turned) as fakes:
        lan = turned.add_person("Lan")
        turned.clerk_writes(lan, "a")
        await receiver.wait_for(2)
        (received,) = [r.event for r in receiver.named("user_received_message")]
        assert received["sender"] == {"id": lan.chat_id}
        assert await fakes.settled(timeout_s=1)


async def test_a_template_by_phone_is_reported_by_number_and_tracking_id(
    client: httpx.AsyncClient, served: RunningFakes, receiver: Any
) -> None:
    oa = served.zalo_oa
    oa.add_template("201", "Mời họp")
    oa.add_person("Lan", number="84912345678")
    form = {"app_id": oa.app_id, "grant_type": "refresh_token", "refresh_token": oa.tokens.refresh_token}
    base = served.urls[Platform.ZALO_OA]
    pair = await client.post(f"{base}/v4/oa/access_token", data=form, headers={"secret_key": oa.app_secret})
    body = {"phone": "84912345678", "template_id": "201", "template_data": {}, "tracking_id": "lan-1"}
    headers = {"access_token": pair.json()["access_token"]}
    sent = (await client.post(f"{base}/message/template", json=body, headers=headers)).json()["data"]
    (request,) = await receiver.wait_for(1)
    assert request.headers["x-zevent-server"] == "ZNS"
    assert request.event["recipient"] == {"id": "84912345678"}
    assert request.event["message"]["msg_id"] == sent["msg_id"]
    assert request.event["message"]["tracking_id"] == "lan-1"


# Repetitions.


async def test_silence_is_repeated_with_the_same_body_and_a_count(world: World, receiver: Any) -> None:
    impatient = ZaloOAFake(world, rules=ZaloOARules(time_factor=0.001, webhook_timeout_s=0.1))
    impatient.set_webhook(receiver.url)
    async with running_fakes(world=world, zalo_oa=impatient) as fakes:
        receiver.delay_s = 0.5
        impatient.add_person("Lan").write("a")
        await receiver.wait_for(1)
        receiver.delay_s = 0.0
        first, second = await receiver.wait_for(2)
        assert second.body == first.body
        assert second.headers["x-zevent-signature"] == first.headers["x-zevent-signature"]
        assert "num_retry" not in first.headers
        assert second.headers["num_retry"] == "1"
        assert await fakes.settled(timeout_s=1)


async def test_later_events_overtake_one_that_waits_to_be_repeated(world: World, receiver: Any) -> None:
    impatient = ZaloOAFake(world, rules=ZaloOARules(webhook_timeout_s=0.05))
    impatient.set_webhook(receiver.url)
    async with running_fakes(world=world, zalo_oa=impatient) as fakes:
        lan = impatient.add_person("Lan")
        receiver.delay_s = 0.2
        lan.write("một")
        await receiver.wait_for(1)
        receiver.delay_s = 0.0
        lan.write("hai")
        requests = await receiver.wait_for(2)
        assert [r.event["message"]["text"] for r in requests] == ["một", "hai"]
        assert not await fakes.settled(timeout_s=0.05)
        impatient.set_webhook(receiver.url)  # saving the address again repeats at once
        requests = await receiver.wait_for(3)
        assert requests[2].event["message"]["text"] == "một"


async def test_after_five_repetitions_the_webhook_is_switched_off(
    served: RunningFakes, receiver: Any
) -> None:
    oa = served.zalo_oa
    lan = oa.add_person("Lan")
    oa.set_webhook("http://127.0.0.1:9/nobody")
    lan.write("một")
    assert await served.settled(timeout_s=2)
    assert not oa.webhook_enabled
    assert oa.post_counts["repeated"] == 5
    assert served.world.record.total(Happening.LOST, platform=Platform.ZALO_OA) == 1
    lan.write("hai")
    assert await served.settled(timeout_s=1)
    oa.set_webhook(receiver.url)
    lan.write("ba")
    (request,) = await receiver.wait_for(1)
    assert request.event["message"]["text"] == "ba"


async def test_a_bad_answer_settles_an_event_unless_told_otherwise(world: World, receiver: Any) -> None:
    for on_bad_status, expected in ((False, 1), (True, 2)):
        receiver.requests.clear()
        receiver.statuses.append(500)
        rules = ZaloOARules(retry_on_bad_status=on_bad_status, time_factor=0.0001)
        oa = ZaloOAFake(world, rules=rules)
        oa.set_webhook(receiver.url)
        async with running_fakes(world=world, zalo_oa=oa) as fakes:
            oa.add_person("Lan").write("a")
            await receiver.wait_for(expected)
            assert await fakes.settled(timeout_s=1)
            assert len(receiver.requests) == expected
            assert oa.post_counts.get("given_up", 0) == 2 - expected


async def test_without_a_webhook_events_are_lost_and_recorded(fakes: RunningFakes) -> None:
    fakes.zalo_oa.add_person("Lan").write("a")
    assert fakes.world.record.totals(Happening.LOST) == {"zalo_oa": {"no webhook": 1}}


async def test_media_of_people_die_after_half_an_hour(
    client: httpx.AsyncClient, served: RunningFakes, receiver: Any, clock: ManualClock
) -> None:
    served.zalo_oa.add_person("Lan").send_photo(b"jpeg")
    (request,) = await receiver.wait_for(1)
    url = json.loads(request.body)["message"]["attachments"][0]["payload"]["url"]
    assert (await client.get(url)).content == b"jpeg"
    clock.advance(minutes=30, seconds=1)
    assert (await client.get(url)).status_code == 404

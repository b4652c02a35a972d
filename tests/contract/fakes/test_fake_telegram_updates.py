"""How the fake Telegram tells the bot what people did: shapes, polling, webhooks with retries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from telegram import Bot, Update
from telegram.constants import ChatMemberStatus
from telegram.error import Conflict

from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.telegram import TelegramFake, TelegramRules
from bot.rehearsal.fakes.telegram_phone import TelegramPhone
from bot.rehearsal.fakes.world import (
    Happening,
    ManualClock,
    NotOnThisPlatform,
    PhoneRefuses,
    Platform,
    World,
)

QUICK = TelegramRules(retry_base_s=0.02, retry_cap_s=0.05)


async def _call(client: httpx.AsyncClient, fakes: RunningFakes, method: str, **params: Any) -> Any:
    url = f"{fakes.urls[Platform.TELEGRAM]}/bot{fakes.telegram.token}/{method}"
    return (await client.post(url, json=params)).json()


async def _poll(client: httpx.AsyncClient, fakes: RunningFakes, **params: Any) -> list[dict[str, Any]]:
    answer = await _call(client, fakes, "getUpdates", **params)
    result: list[dict[str, Any]] = answer["result"]
    return result


def _in_turn(*acts: Callable[[], Any]) -> None:
    for act in acts:
        act()


Act = Callable[[TelegramPhone], Any]
Reading = Callable[[Update], Any]

SHAPES: list[tuple[str, Act, Reading, Any]] = [
    ("text", lambda p: p.write("Đường hỏng"), lambda u: u.message and u.message.text, "Đường hỏng"),
    ("start", lambda p: p.follow("xa-01"), lambda u: u.message and u.message.text, "/start xa-01"),
    ("command", lambda p: p.follow(), lambda u: u.message and u.message.entities[0].type, "bot_command"),
    ("photo", lambda p: p.send_photo(caption="Ổ gà"), lambda u: u.message and u.message.caption, "Ổ gà"),
    ("photo_sizes", lambda p: p.send_photo(), lambda u: u.message and len(u.message.photo), 2),
    (
        "file",
        lambda p: p.send_file(name="đơn.pdf"),
        lambda u: u.message and u.message.document and u.message.document.file_name,
        "đơn.pdf",
    ),
    (
        "voice",
        lambda p: p.send_voice(duration_s=7),
        lambda u: u.message and u.message.voice and u.message.voice.duration,
        7,
    ),
    (
        "video",
        lambda p: p.send_video(),
        lambda u: u.message and u.message.video and u.message.video.width,
        640,
    ),
    (
        "location",
        lambda p: p.send_location(22.48, 103.97),
        lambda u: u.message and u.message.location and u.message.location.latitude,
        22.48,
    ),
    (
        "sticker",
        lambda p: p.send_sticker(),
        lambda u: u.message and u.message.sticker and u.message.sticker.emoji,
        "👍",
    ),
    (
        "own contact",
        lambda p: p.send_contact("+84912"),
        lambda u: u.message and u.message.contact and u.message.contact.user_id == u.message.chat.id,
        True,
    ),
    (
        "foreign contact",
        lambda p: p.send_contact("+84912", own=False),
        lambda u: u.message and u.message.contact and u.message.contact.user_id,
        None,
    ),
    ("unsupported", lambda p: p.send_unsupported(), lambda u: u.message and u.message.dice is not None, True),
    (
        "edited",
        lambda p: p.edit(p.write("cũ"), "mới"),
        lambda u: u.edited_message and u.edited_message.text,
        "mới",
    ),
    (
        "blocked",
        lambda p: _in_turn(p.follow, p.block),
        lambda u: u.my_chat_member and u.my_chat_member.new_chat_member.status,
        ChatMemberStatus.BANNED,
    ),
    (
        "unblocked",
        lambda p: _in_turn(p.follow, p.block, p.unblock),
        lambda u: u.my_chat_member and u.my_chat_member.new_chat_member.status,
        ChatMemberStatus.MEMBER,
    ),
]


@pytest.mark.parametrize(("act", "reading", "expected"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])
async def test_ptb_reads_what_a_person_did(
    client: httpx.AsyncClient, fakes: RunningFakes, act: Act, reading: Reading, expected: Any
) -> None:
    phone = fakes.telegram.add_person("Lan")
    act(phone)
    updates = await _poll(client, fakes)
    update = Update.de_json(updates[-1])
    assert update.effective_user is not None
    assert update.effective_user.id == int(phone.chat_id)
    assert reading(update) == expected


async def test_a_tap_comes_as_callback_query_on_the_shown_message(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.telegram.add_person("Lan")
    phone.follow()
    keyboard = {"inline_keyboard": [[{"text": "Có", "callback_data": "v1:có"}]]}
    sent = await _call(
        client, fakes, "sendMessage", chat_id=phone.chat_id, text="Gửi?", reply_markup=keyboard
    )
    query_id = phone.tap("Có")
    update = Update.de_json((await _poll(client, fakes))[-1])
    assert update.callback_query is not None
    assert (update.callback_query.id, update.callback_query.data) == (query_id, "v1:có")
    assert update.callback_query.message is not None
    assert update.callback_query.message.message_id == sent["result"]["message_id"]
    with pytest.raises(KeyError):
        phone.tap("Không có nút này")


async def test_long_texts_are_cut_by_the_app_and_a_blocked_bot_cannot_be_written_to(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.telegram.add_person("Lan")
    phone.write("x" * 5000)
    texts = [update["message"]["text"] for update in await _poll(client, fakes)]
    assert [len(text) for text in texts] == [4096, 904]
    phone.block()
    with pytest.raises(PhoneRefuses):
        phone.write("a")
    with pytest.raises(NotOnThisPlatform):
        fakes.zalo_bot.add_person("Lan").edit("1", "a")


async def test_a_deep_link_payload_is_checked_by_the_app(fakes: RunningFakes) -> None:
    phone = fakes.telegram.add_person("Lan")
    for payload in ("xã", "a b", "a" * 65):
        with pytest.raises(PhoneRefuses):
            phone.follow(payload)
    phone.follow("a" * 64)
    assert len(fakes.telegram.pending) == 1


# Polling.


async def test_ptb_polls_and_sets_webhooks(fakes: RunningFakes, receiver: Any) -> None:
    phone = fakes.telegram.add_person("Lan")
    phone.write("một")
    async with Bot(fakes.telegram.token, base_url=f"{fakes.urls[Platform.TELEGRAM]}/bot") as bot:
        (update,) = await bot.get_updates(timeout=1, allowed_updates=Update.ALL_TYPES)
        assert await bot.get_updates(offset=update.update_id + 1) == ()
        await bot.set_webhook(receiver.url, secret_token="s1", max_connections=1)
        with pytest.raises(Conflict):
            await bot.get_updates()
        phone.write("hai")
        await receiver.wait_for(1)
        info = await bot.get_webhook_info()
        assert (info.url, info.max_connections) == (receiver.url, 1)
        assert await bot.delete_webhook()


async def test_updates_come_again_until_the_offset_acknowledges_them(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.telegram.add_person("Lan")
    for number in range(3):
        phone.write(str(number))
    first = await _poll(client, fakes)
    assert [u["message"]["text"] for u in first] == ["0", "1", "2"]
    assert [u["update_id"] - first[0]["update_id"] for u in first] == [0, 1, 2]
    assert await _poll(client, fakes) == first
    assert await _poll(client, fakes, limit=1) == first[:1]
    rest = await _poll(client, fakes, offset=first[1]["update_id"] + 1)
    assert rest == first[2:]
    assert await _poll(client, fakes, offset=first[2]["update_id"] + 1) == []
    assert fakes.telegram.idle


async def test_a_negative_offset_keeps_the_newest_only(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.telegram.add_person("Lan")
    for number in range(5):
        phone.write(str(number))
    assert [u["message"]["text"] for u in await _poll(client, fakes, offset=-2)] == ["3", "4"]
    assert len(await _poll(client, fakes)) == 2


async def test_a_long_poll_wakes_at_once(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    phone = fakes.telegram.add_person("Lan")
    poll = asyncio.create_task(_poll(client, fakes, timeout=30))
    await asyncio.sleep(0.05)
    assert not poll.done()
    phone.write("xin chào")
    assert len(await asyncio.wait_for(poll, 1)) == 1


async def test_a_second_poller_ends_the_first_with_409(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    first = asyncio.create_task(_call(client, fakes, "getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(_call(client, fakes, "getUpdates", timeout=30))
    answer = await asyncio.wait_for(first, 1)
    assert answer["error_code"] == 409
    assert "terminated by other getUpdates" in answer["description"]
    fakes.telegram.add_person("Lan").write("a")
    assert (await asyncio.wait_for(second, 1))["ok"]


async def test_polling_and_webhook_exclude_each_other(
    client: httpx.AsyncClient, fakes: RunningFakes, receiver: Any
) -> None:
    poll = asyncio.create_task(_call(client, fakes, "getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    await _call(client, fakes, "setWebhook", url=receiver.url)
    assert (await asyncio.wait_for(poll, 1))["description"] == "Conflict: terminated by setWebhook request"
    refused = await _call(client, fakes, "getUpdates")
    assert (refused["error_code"], "webhook is active" in refused["description"]) == (409, True)
    await _call(client, fakes, "deleteWebhook")
    assert (await _call(client, fakes, "getUpdates"))["ok"]


async def test_a_poller_that_dies_loses_nothing(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    with pytest.raises(httpx.ReadTimeout):
        async with httpx.AsyncClient(timeout=0.05) as dying:
            await _poll(dying, fakes, timeout=30)
    fakes.telegram.add_person("Lan").write("a")
    assert len(await _poll(client, fakes)) == 1


async def test_kinds_not_asked_for_are_not_made(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    await _poll(client, fakes, allowed_updates=["message"])
    phone = fakes.telegram.add_person("Lan")
    phone.edit(phone.write("a"), "b")
    assert [list(u)[1] for u in await _poll(client, fakes)] == ["message"]
    await _poll(client, fakes, allowed_updates=[])
    phone.edit("1", "c")
    assert [list(u)[1] for u in await _poll(client, fakes)] == ["message", "edited_message"]


async def test_updates_older_than_a_day_are_lost_and_recorded(
    client: httpx.AsyncClient, fakes: RunningFakes, clock: ManualClock
) -> None:
    phone = fakes.telegram.add_person("Lan")
    phone.write("cũ")
    clock.advance(hours=24, seconds=1)
    phone.write("mới")
    assert [u["message"]["text"] for u in await _poll(client, fakes)] == ["mới"]
    assert fakes.world.record.total(Happening.LOST, platform=Platform.TELEGRAM) == 1


# Webhook.


async def test_webhook_posts_carry_the_secret_and_what_was_pending(
    client: httpx.AsyncClient, fakes: RunningFakes, receiver: Any
) -> None:
    phone = fakes.telegram.add_person("Lan")
    phone.write("trước")
    answer = await _call(client, fakes, "setWebhook", url=receiver.url, secret_token="bi-mat_1")
    assert answer == {"ok": True, "result": True, "description": "Webhook was set"}
    phone.write("sau")
    requests = await receiver.wait_for(2)
    assert [r.event["message"]["text"] for r in requests] == ["trước", "sau"]
    assert {r.headers["x-telegram-bot-api-secret-token"] for r in requests} == {"bi-mat_1"}
    assert {r.path for r in requests} == {"/webhooks/here"}
    assert await fakes.settled(timeout_s=1)
    info = (await _call(client, fakes, "getWebhookInfo"))["result"]
    assert (info["url"], info["pending_update_count"]) == (receiver.url, 0)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"secret_token": "có dấu"}, "unallowed characters"),
        ({"secret_token": "a" * 257}, "unallowed characters"),
        ({"max_connections": 0}, "max_connections"),
        ({"max_connections": "many"}, "wrong parameter"),
        ({"allowed_updates": "{}"}, "Array expected"),
    ],
)
async def test_set_webhook_refuses(
    client: httpx.AsyncClient, fakes: RunningFakes, params: dict[str, Any], words: str
) -> None:
    answer = await _call(client, fakes, "setWebhook", url="http://127.0.0.1:1/x", **params)
    assert answer["error_code"] == 400
    assert words in answer["description"]


async def test_set_webhook_can_insist_on_https_and_ports(client: httpx.AsyncClient, world: World) -> None:
    strict = TelegramFake(world, rules=TelegramRules(require_https=True))
    async with running_fakes(world=world, telegram=strict) as fakes:
        plain = await _call(client, fakes, "setWebhook", url="http://xa.vn/hook")
        port = await _call(client, fakes, "setWebhook", url="https://xa.vn:9000/hook")
        assert "HTTPS URL must be provided" in plain["description"]
        assert "only on ports" in port["description"]
        assert (await _call(client, fakes, "setWebhook", url="https://xa.vn:8443/hook"))["ok"]


async def test_refused_updates_are_repeated_before_later_ones_of_the_chat(
    client: httpx.AsyncClient, world: World, receiver: Any
) -> None:
    async with running_fakes(world=world, telegram=TelegramFake(world, rules=QUICK)) as fakes:
        lan = fakes.telegram.add_person("Lan")
        await _call(client, fakes, "setWebhook", url=receiver.url)
        receiver.statuses.extend([500, 302])
        lan.write("một")
        lan.write("hai")
        requests = await receiver.wait_for(4)
        assert [r.event["message"]["text"] for r in requests] == ["một", "một", "một", "hai"]
        assert len({r.body for r in requests}) == 2
        assert await fakes.settled(timeout_s=1)
        info = (await _call(client, fakes, "getWebhookInfo"))["result"]
        assert info["last_error_message"] == "Wrong response from the webhook: 302"
        assert info["last_error_date"] == int(world.clock().timestamp())


async def test_a_chat_in_trouble_does_not_hold_other_chats(
    client: httpx.AsyncClient, world: World, receiver: Any
) -> None:
    patient = TelegramFake(world, rules=TelegramRules(retry_base_s=60))
    async with running_fakes(world=world, telegram=patient) as fakes:
        await _call(client, fakes, "setWebhook", url=receiver.url)
        receiver.statuses.append(503)
        fakes.telegram.add_person("Lan").write("một")
        await receiver.wait_for(1)
        fakes.telegram.add_person("Minh").write("hai")
        requests = await receiver.wait_for(2)
        assert [r.event["message"]["text"] for r in requests] == ["một", "hai"]
        await asyncio.sleep(0.05)  # until the 503 has been read and the minute's wait has begun
        fakes.telegram.retry_now()
        requests = await receiver.wait_for(3)
        assert requests[2].event["message"]["text"] == "một"


async def test_updates_wait_for_a_receiver_that_is_down(
    client: httpx.AsyncClient, world: World, receiver: Any
) -> None:
    async with running_fakes(world=world, telegram=TelegramFake(world, rules=QUICK)) as fakes:
        await _call(client, fakes, "setWebhook", url="http://127.0.0.1:9/nobody")
        phone = fakes.telegram.add_person("Lan")
        phone.write("một")
        phone.write("hai")
        await asyncio.sleep(0.1)
        info = (await _call(client, fakes, "getWebhookInfo"))["result"]
        assert info["pending_update_count"] == 2
        assert fakes.telegram.post_counts["repeated"] >= 1
        await _call(client, fakes, "setWebhook", url=receiver.url)
        requests = await receiver.wait_for(2)
        assert [r.event["message"]["text"] for r in requests] == ["một", "hai"]


async def test_what_a_webhook_did_not_take_goes_back_to_polling(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    await _call(client, fakes, "setWebhook", url="http://127.0.0.1:9/nobody")
    fakes.telegram.add_person("Lan").write("một")
    await _call(client, fakes, "deleteWebhook")
    assert len(await _poll(client, fakes)) == 1
    await _call(client, fakes, "deleteWebhook", drop_pending_updates=True)
    assert await _poll(client, fakes) == []


async def test_the_record_holds_acts_and_updates_of_each_chat(fakes: RunningFakes) -> None:
    lan, minh = fakes.telegram.add_person("Lan"), fakes.telegram.add_person("Minh")
    lan.write("a")
    minh.send_sticker()
    entries = fakes.world.record.of_chat(Platform.TELEGRAM, lan.chat_id)
    assert [(e.kind, e.what) for e in entries] == [(Happening.ACT, "write"), (Happening.EVENT, "message")]
    assert json.loads(fakes.telegram.oldest(1)[0])["message"]["from"]["first_name"] == "Lan"

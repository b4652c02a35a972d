"""The fake Zalo Bot Platform: what it takes, refuses and tells, and polling without acknowledgement."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.world import Happening, ManualClock, NotOnThisPlatform, PhoneRefuses, Platform, World
from bot.rehearsal.fakes.zalo_bot import ZaloBotFake, ZaloBotRules
from bot.rehearsal.fakes.zalo_bot_phone import ZaloBotPhone

SECRET = "bi-mat-8-ky-tu"


async def _raw(client: httpx.AsyncClient, fakes: RunningFakes, method: str, **params: Any) -> httpx.Response:
    url = f"{fakes.urls[Platform.ZALO_BOT]}/bot{fakes.zalo_bot.token}/{method}"
    return await client.post(url, json=params)


async def _call(client: httpx.AsyncClient, fakes: RunningFakes, method: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await _raw(client, fakes, method, **params)).json()
    return answer


@pytest.fixture
def lan(fakes: RunningFakes) -> ZaloBotPhone:
    """A person who wrote to the bot; their message has been polled away."""
    phone = fakes.zalo_bot.add_person("Lan")
    phone.wrote = True
    return phone


async def test_get_me_and_a_text(client: httpx.AsyncClient, fakes: RunningFakes, lan: ZaloBotPhone) -> None:
    me = await _call(client, fakes, "getMe")
    assert me["ok"]
    assert me["result"].keys() == {"id", "account_name", "account_type", "can_join_groups"}
    assert me["result"]["account_name"].startswith("Bot")
    sent = await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text="Kính chào")
    shown = await lan.next_message(timeout_s=1)
    assert sent == {
        "ok": True,
        "result": {"message_id": shown.message_id, "date": int(shown.at.timestamp() * 1000)},
    }
    assert int(lan.chat_id, 16) >= 0


async def test_two_thousand_characters_are_counted_after_nfc(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: ZaloBotPhone
) -> None:
    decomposed = unicodedata.normalize("NFD", "ế" * 2000)
    assert (await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text=decomposed))["ok"]
    assert not (await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text="ế" * 2001))["ok"]
    assert fakes.zalo_bot.violations() == {"text_too_long": 1}


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("sendMessage", {"text": ""}),
    ("sendMessage", {"text": " \n"}),
    ("sendMessage", {"text": 7}),
    ("sendMessage", {"text": "a", "chat_id": "unknown"}),
    ("sendMessage", {"text": "a", "chat_id": 5}),
    ("sendMessage", {"text": "a", "parse_mode": "HTML"}),
    ("sendMessage", {"text": "<b>a", "parse_mode": "html"}),
    ("sendPhoto", {"photo": "file.jpg"}),
    ("sendPhoto", {}),
    ("sendPhoto", {"photo": "https://x.vn/a.jpg", "caption": "a" * 2001}),
    ("sendVoice", {}),
    ("sendSticker", {}),
    ("sendChatAction", {"action": "upload_photo"}),
]


@pytest.mark.parametrize(("method", "params"), REFUSED)
async def test_bad_parameters_are_400_in_an_http_200(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: ZaloBotPhone, method: str, params: dict[str, Any]
) -> None:
    answer = await _raw(client, fakes, method, **{"chat_id": lan.chat_id, **params})
    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["error_code"]) == (False, 400)
    assert lan.screen == []


async def test_photo_voice_sticker_and_typing_are_taken(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: ZaloBotPhone
) -> None:
    to = {"chat_id": lan.chat_id}
    assert (await _call(client, fakes, "sendPhoto", **to, photo="https://x.vn/a.jpg", caption="Lịch"))["ok"]
    assert (await _call(client, fakes, "sendVoice", **to, voice_url="https://x.vn/a.aac"))["ok"]
    assert (await _call(client, fakes, "sendSticker", **to, sticker="bd1f"))["ok"]
    assert (await _call(client, fakes, "sendChatAction", **to, action="typing"))["ok"]
    assert (await _call(client, fakes, "sendMessage", **to, text="<b>đậm</b>", parse_mode="html"))["ok"]
    assert [(s.kind, s.text) for s in lan.screen] == [
        ("photo", "Lịch"),
        ("voice", ""),
        ("sticker", ""),
        ("text", "đậm"),
    ]


async def test_only_people_who_wrote_and_did_not_block_are_reached(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.zalo_bot.add_person("Minh")

    async def code() -> Any:
        return (await _call(client, fakes, "sendMessage", chat_id=phone.chat_id, text="a")).get("error_code")

    phone.follow()
    assert await code() == 403
    phone.write("chào bot")
    assert await code() is None
    phone.block()
    assert await code() == 403
    with pytest.raises(PhoneRefuses):
        phone.write("a")
    phone.unblock()
    assert await code() is None


async def test_statuses_can_be_the_codes(client: httpx.AsyncClient, world: World) -> None:
    plain = ZaloBotFake(world, rules=ZaloBotRules(errors_in_200=False))
    async with running_fakes(world=world, zalo_bot=plain) as fakes:
        assert (await _raw(client, fakes, "sendMessage", chat_id="x", text="a")).status_code == 400


async def test_unknown_token_is_401_and_unknown_method_404(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    wrong = await client.post(f"{fakes.urls[Platform.ZALO_BOT]}/bot1:x/getMe")
    assert (wrong.status_code, wrong.json()["error_code"]) == (401, 401)
    for method in ("editMessageText", "answerCallbackQuery", "getUserProfile"):
        assert (await _raw(client, fakes, method)).status_code == 404


async def test_the_month_ends_at_the_package_quota(
    client: httpx.AsyncClient, world: World, clock: ManualClock
) -> None:
    small = ZaloBotFake(world, rules=ZaloBotRules(messages_per_month=2))
    async with running_fakes(world=world, zalo_bot=small) as fakes:
        lan = small.add_person("Lan")
        lan.write("a")
        answers = [await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text="a") for _ in range(3)]
        assert [a.get("error_code") for a in answers] == [None, None, 429]
        assert "parameters" not in answers[2]
        assert small.violations() == {"monthly_quota": 1}
        clock.advance(days=7, hours=15)  # midnight of 1 December in Viet Nam
        assert (await _call(client, fakes, "sendMessage", chat_id=lan.chat_id, text="a"))["ok"]


# Updates.

Act = Callable[[ZaloBotPhone], Any]
UPDATES: list[tuple[str, Act, set[str]]] = [
    ("message.text.received", lambda p: p.write("Đường hỏng"), {"text"}),
    ("message.image.received", lambda p: p.send_photo(), {"photo", "photo_url"}),
    ("message.image.received", lambda p: p.send_photo(caption="Ổ gà"), {"photo", "photo_url", "caption"}),
    ("message.sticker.received", lambda p: p.send_sticker(), {"sticker", "url"}),
    ("message.voice.received", lambda p: p.send_voice(), {"voice_url"}),
    ("message.unsupported.received", lambda p: p.send_file(), set()),
    ("message.unsupported.received", lambda p: p.send_location(22.4, 103.9), set()),
    ("message.unsupported.received", lambda p: p.send_video(), set()),
    ("message.unsupported.received", lambda p: p.send_unsupported(), set()),
]


@pytest.mark.parametrize(("name", "act", "content"), UPDATES)
async def test_a_poll_gives_one_update_object(
    client: httpx.AsyncClient, fakes: RunningFakes, name: str, act: Act, content: set[str]
) -> None:
    phone = fakes.zalo_bot.add_person("Lan")
    message_id = act(phone)
    update = (await _call(client, fakes, "getUpdates", timeout=1))["result"]
    assert update["event_name"] == name
    message = update["message"]
    assert message.keys() == {"message_id", "date", "from", "chat"} | content
    assert message["message_id"] == message_id
    assert message["from"] == {"id": phone.chat_id, "display_name": "Lan", "is_bot": False}
    assert message["chat"] == {"id": phone.chat_id, "chat_type": "PRIVATE"}
    assert message["date"] == int(fakes.world.clock().timestamp() * 1000)


async def test_privacy_protection_hides_a_text(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    phone = fakes.zalo_bot.add_person("Lan")
    phone.private = True
    phone.write("Đường hỏng")
    update = (await _call(client, fakes, "getUpdates", timeout=1))["result"]
    assert update["event_name"] == "message.unsupported.received"
    assert "text" not in update["message"]


async def test_acts_without_events_and_acts_that_do_not_exist(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.zalo_bot.add_person("Lan")
    phone.follow()
    phone.read()
    phone.unfollow()
    assert (await _raw(client, fakes, "getUpdates", timeout=0)).status_code == 408
    for act in (lambda: phone.tap("Có"), lambda: phone.edit("1", "a"), lambda: phone.follow("payload")):
        with pytest.raises(NotOnThisPlatform):
            act()


async def test_updates_come_one_at_a_time_and_never_again(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.zalo_bot.add_person("Lan")
    phone.write("một")
    phone.write("hai")
    texts = [
        (await _call(client, fakes, "getUpdates", timeout=0))["result"]["message"]["text"] for _ in range(2)
    ]
    assert texts == ["một", "hai"]
    idle = await _raw(client, fakes, "getUpdates", timeout=0)
    assert (idle.status_code, idle.json()["error_code"]) == (408, 408)
    assert idle.json()["description"] == "Request timeout"
    assert fakes.world.record.total(Happening.HANDED_OUT, platform=Platform.ZALO_BOT) == 2


async def test_a_waiting_poll_wakes_and_one_that_died_takes_nothing(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    phone = fakes.zalo_bot.add_person("Lan")
    with pytest.raises(httpx.ReadTimeout):
        async with httpx.AsyncClient(timeout=0.05) as dying:
            await _call(dying, fakes, "getUpdates", timeout=30)
    poll = asyncio.create_task(_call(client, fakes, "getUpdates"))
    await asyncio.sleep(0.05)
    phone.write("xin chào")
    answer = await asyncio.wait_for(poll, 1)
    assert answer["result"]["message"]["text"] == "xin chào"


async def test_two_waiting_polls_share_the_updates(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    polls = [asyncio.create_task(_call(client, fakes, "getUpdates", timeout=30)) for _ in range(2)]
    await asyncio.sleep(0.05)
    phone = fakes.zalo_bot.add_person("Lan")
    phone.write("một")
    phone.write("hai")
    answers = await asyncio.wait_for(asyncio.gather(*polls), 1)
    assert sorted(a["result"]["message"]["text"] for a in answers) == ["hai", "một"]


# Webhook.


async def test_webhook_posts_carry_the_secret_and_the_envelope(
    client: httpx.AsyncClient, fakes: RunningFakes, receiver: Any
) -> None:
    phone = fakes.zalo_bot.add_person("Lan")
    phone.write("trước")
    answer = await _call(client, fakes, "setWebhook", url=receiver.url, secret_token=SECRET)
    assert answer["result"]["url"] == receiver.url
    assert answer["result"]["verification"]["ok"]
    phone.write("sau")
    requests = await receiver.wait_for(2)
    assert [r.event["result"]["message"]["text"] for r in requests] == ["trước", "sau"]
    assert all(r.event["ok"] for r in requests)
    assert {r.headers["x-bot-api-secret-token"] for r in requests} == {SECRET}
    refused = await _call(client, fakes, "getUpdates", timeout=0)
    assert (refused["ok"], refused["error_code"]) == (False, 400)
    info = await _call(client, fakes, "getWebhookInfo")
    assert info["result"] == answer["result"]


async def test_a_webhook_is_stored_though_it_cannot_be_reached(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    assert (await _raw(client, fakes, "getWebhookInfo")).status_code == 404
    url = "http://127.0.0.1:9/nobody"
    result = (await _call(client, fakes, "setWebhook", url=url, secret_token=SECRET))["result"]
    assert (result["url"], result["verification"]["ok"]) == (url, False)
    assert result["verification"]["hint"]
    fakes.zalo_bot.add_person("Lan").write("a")
    await _call(client, fakes, "deleteWebhook")
    assert (await _raw(client, fakes, "getWebhookInfo")).status_code == 404
    update = await _call(client, fakes, "getUpdates", timeout=0)
    assert update["result"]["message"]["text"] == "a"


@pytest.mark.parametrize(
    "params",
    [
        {"url": "http://127.0.0.1/x"},
        {"url": "http://127.0.0.1/x", "secret_token": "1234567"},
        {"url": "http://127.0.0.1/x", "secret_token": "a" * 257},
        {"url": "not an address", "secret_token": SECRET},
        {"secret_token": SECRET},
    ],
)
async def test_set_webhook_refuses(
    client: httpx.AsyncClient, fakes: RunningFakes, params: dict[str, Any]
) -> None:
    assert (await _call(client, fakes, "setWebhook", **params))["error_code"] == 400


@pytest.mark.parametrize("url", ["http://xa.vn/x", "https://localhost/x", "https://192.168.1.5/x"])
async def test_set_webhook_can_insist_on_public_addresses(
    client: httpx.AsyncClient, world: World, url: str
) -> None:
    strict = ZaloBotFake(world, rules=ZaloBotRules(refuse_private_addresses=True))
    async with running_fakes(world=world, zalo_bot=strict) as fakes:
        assert (await _call(client, fakes, "setWebhook", url=url, secret_token=SECRET))["error_code"] == 400


async def test_posts_are_repeated_and_bare_updates_are_possible(world: World, receiver: Any) -> None:
    bare = ZaloBotFake(world, rules=ZaloBotRules(bare_updates=True, retry_delays_s=(0.01, 0.01)))
    async with running_fakes(world=world, zalo_bot=bare) as fakes:
        await bare.set_webhook(receiver.url, SECRET)
        receiver.statuses.extend([500, 503])
        bare.add_person("Lan").write("a")
        requests = await receiver.wait_for(3)
        assert {r.event["event_name"] for r in requests} == {"message.text.received"}
        assert await fakes.settled(timeout_s=1)
        assert bare.post_counts == {"failed": 2, "repeated": 2, "taken": 1}


async def test_media_links_of_people_can_be_fetched(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    fakes.zalo_bot.add_person("Lan").send_photo(b"jpeg")
    update = await _call(client, fakes, "getUpdates", timeout=0)
    assert (await client.get(update["result"]["message"]["photo_url"])).content == b"jpeg"

"""Webhooks are stored before they are answered; strangers store nothing; health says what is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from bot.rehearsal.fakes.servers import RunningFakes
from tests.contract.gateway.conftest import SECRET, RunningApp

START = Callable[..., RunningApp]
_UPDATE = {
    "update_id": 77,
    "message": {
        "message_id": 5,
        "date": 1_790_000_000,
        "chat": {"id": 4711, "type": "private"},
        "from": {"id": 4711, "is_bot": False, "first_name": "A"},
        "text": "đường hỏng",
    },
}


@pytest.fixture
async def http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=10, trust_env=False, verify=False)


async def post(http: httpx.AsyncClient, app: RunningApp, body: bytes, *, secret: str = SECRET) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret, "Content-Type": "application/json"}
    response = await http.post(f"{app.url}/webhooks/telegram", content=body, headers=headers)
    return response.status_code


async def test_an_answered_webhook_is_in_the_database(start_app: START, http: httpx.AsyncClient) -> None:
    app = start_app(public=True)
    assert await post(http, app, json.dumps(_UPDATE).encode()) == 200
    (row,) = app.stored()
    assert (row.channel, row.sender_id, row.text) == ("telegram", "4711", "đường hỏng")


async def test_a_repeated_webhook_is_stored_once(start_app: START, http: httpx.AsyncClient) -> None:
    app = start_app(public=True)
    statuses = await asyncio.gather(*(post(http, app, json.dumps(_UPDATE).encode()) for _ in range(5)))
    assert statuses == [200] * 5
    assert len(app.stored()) == 1


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x"])
async def test_a_stranger_stores_nothing(start_app: START, http: httpx.AsyncClient, secret: str) -> None:
    app = start_app(public=True)
    assert await post(http, app, json.dumps(_UPDATE).encode(), secret=secret) == 401
    assert app.stored() == []


@pytest.mark.parametrize("path", ["/webhooks/zalo-oa", "/webhooks/zalo-bot"])
async def test_unsigned_zalo_events_are_refused(start_app: START, http: httpx.AsyncClient, path: str) -> None:
    app = start_app(public=True)
    response = await http.post(app.url + path, json={"event_name": "user_send_text"})
    assert response.status_code == 401
    assert app.stored() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"update_id": "x"}'])
async def test_an_unreadable_body_is_a_client_error(
    start_app: START, http: httpx.AsyncClient, body: bytes
) -> None:
    app = start_app(public=True)
    assert await post(http, app, body) in (200, 400)
    assert all(not row.text for row in app.stored())


async def test_a_huge_body_and_an_unknown_platform_are_refused(
    start_app: START, http: httpx.AsyncClient
) -> None:
    app = start_app(public=True)
    assert await post(http, app, b" " * 2_000_001) == 413
    assert (await http.post(f"{app.url}/webhooks/viber", json={})).status_code == 404


async def test_health_and_readiness(start_app: START, http: httpx.AsyncClient) -> None:
    app = start_app(public=True)
    assert (await http.get(f"{app.url}/healthz")).text == "ok"
    response = await http.get(f"{app.url}/readyz")
    ready = response.json()
    assert response.status_code == 503
    assert (ready["database"], ready["rasa"], ready["actions"]) == (True, False, False)
    assert {name: check["ok"] for name, check in ready["channels"].items()} == {
        "telegram": True,
        "zalo_oa": True,
        "zalo_bot": True,
        "simulator": True,
    }


async def test_webhooks_are_entered_at_the_platforms(start_app: START, fakes: RunningFakes) -> None:
    app = start_app(public=True)
    telegram, zalo_bot = fakes.telegram.add_person("A"), fakes.zalo_bot.add_person("B")
    async with asyncio.timeout(10):
        expected = f"{app.url}/webhooks/telegram"
        while fakes.telegram.webhook_info()["url"] != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    telegram.follow()
    telegram.write("từ Telegram")
    zalo_bot.write("từ Zalo Bot")
    rows = await app.stored_when(lambda rows: {"từ Telegram", "từ Zalo Bot"} <= {r.text for r in rows})
    assert {row.channel for row in rows} == {"telegram", "zalo_bot"}


async def test_without_a_public_address_both_are_polled(start_app: START, fakes: RunningFakes) -> None:
    fakes.telegram.set_webhook(url="http://127.0.0.1:9/old", secret_token=SECRET)
    app = start_app(public=False)
    telegram, zalo_bot = fakes.telegram.add_person("A"), fakes.zalo_bot.add_person("B")
    telegram.follow()
    telegram.write("từ Telegram")
    zalo_bot.write("từ Zalo Bot")
    await app.stored_when(lambda rows: {"từ Telegram", "từ Zalo Bot"} <= {r.text for r in rows})
    assert fakes.telegram.webhook_info()["url"] == ""


async def test_the_oa_webhook_carries_text_photo_and_a_goodbye(start_app: START, fakes: RunningFakes) -> None:
    app = start_app(public=True)
    fakes.zalo_oa.set_webhook(f"{app.url}/webhooks/zalo-oa")
    person = fakes.zalo_oa.add_person("C")
    person.follow()
    person.write("đường vào bản sạt")
    person.send_photo()
    person.send_location(22.3, 103.9)
    person.unfollow()
    rows = await app.stored_when(lambda rows: "unfollowed" in {row.kind for row in rows})
    assert {"followed", "text", "photo", "location", "unfollowed"} <= {row.kind for row in rows}

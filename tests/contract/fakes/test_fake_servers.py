"""Serving the fakes, driving them from another program, and the shared pieces under them."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rehearsal.fakes.control import ControlApp
from bot.rehearsal.fakes.limits import PacePerKey, SlidingWindow
from bot.rehearsal.fakes.postman import NoAnswer, WebhookClient
from bot.rehearsal.fakes.servers import LoopbackServer, RunningFakes, running_fakes
from bot.rehearsal.fakes.world import Happening, ManualClock, NothingShown, Platform, Shown, World


async def test_the_three_are_served_on_free_loopback_ports_and_closed_again(
    world: World, client: httpx.AsyncClient
) -> None:
    async with running_fakes(world=world) as fakes:
        assert fakes.urls.keys() == set(Platform)
        assert len(set(fakes.urls.values())) == 3
        assert all(url.startswith("http://127.0.0.1:") for url in fakes.urls.values())
        for url in fakes.urls.values():
            assert (await client.get(f"{url}/nothing")).status_code == 404
    async with httpx.AsyncClient(trust_env=False) as later:
        for url in fakes.urls.values():
            with pytest.raises(httpx.ConnectError):
                await later.get(url)


async def test_closing_does_not_wait_for_long_polls_or_held_answers(
    world: World, client: httpx.AsyncClient
) -> None:
    loop = asyncio.get_running_loop()
    async with running_fakes(world=world) as fakes:
        url = f"{fakes.urls[Platform.TELEGRAM]}/bot{fakes.telegram.token}/getUpdates"
        poll = asyncio.create_task(client.post(url, json={"timeout": 50}))
        url = f"{fakes.urls[Platform.ZALO_BOT]}/bot{fakes.zalo_bot.token}/getUpdates"
        other = asyncio.create_task(client.post(url, json={"timeout": 50}))
        await asyncio.sleep(0.05)
        begun = loop.time()
    assert loop.time() - begun < 0.5
    for task in (poll, other):
        with pytest.raises(httpx.HTTPError):
            await task


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with running_fakes(world=world, ports={Platform.ZALO_BOT: port}):
                pytest.fail("the port was taken")


async def test_settings_name_every_variable_of_the_three_channels(fakes: RunningFakes) -> None:
    settings = fakes.settings(telegram_secret="abc", zalo_bot_secret="12345678")
    assert settings["NGHEDAN_TELEGRAM_BASE_URL"] == fakes.urls[Platform.TELEGRAM]
    assert settings["NGHEDAN_ZALO_OAUTH_BASE_URL"] == settings["NGHEDAN_ZALO_OA_BASE_URL"]
    assert settings["NGHEDAN_TELEGRAM_WEBHOOK_SECRET"] == "abc"
    assert settings["NGHEDAN_ZALO_BOT_WEBHOOK_SECRET"] == "12345678"
    assert all(settings.values())
    assert len(settings) == 13


async def test_same_seed_same_ids(clock: ManualClock) -> None:
    async def made() -> list[str]:
        async with running_fakes(world=World(clock=clock, seed=3)) as fakes:
            return [fake.add_person("Lan").chat_id for fake in fakes.all] + [fakes.telegram.token]

    assert await made() == await made()


# What a person sees.


def _shown(fakes: RunningFakes, number: int) -> Shown:
    return Shown(Platform.TELEGRAM, "1", str(number), fakes.world.clock(), f"tin {number}")


async def test_messages_are_read_in_order_each_once(fakes: RunningFakes) -> None:
    phone = fakes.telegram.add_person("Lan")
    for number in range(3):
        phone.show(_shown(fakes, number))
    assert (await phone.next_message(timeout_s=0)).text == "tin 0"
    assert [shown.text for shown in phone.take_unread()] == ["tin 1", "tin 2"]
    assert phone.take_unread() == []
    with pytest.raises(NothingShown):
        await phone.next_message(timeout_s=0.01)
    waiting = asyncio.create_task(phone.next_message(timeout_s=1))
    await asyncio.sleep(0)
    phone.show(_shown(fakes, 3))
    assert (await waiting).text == "tin 3"


async def test_the_iterator_gives_old_and_new_messages(fakes: RunningFakes) -> None:
    phone = fakes.telegram.add_person("Lan")
    phone.show(_shown(fakes, 0))
    texts = []
    async for shown in phone.messages():
        texts.append(shown.text)
        if len(texts) == 2:
            break
        asyncio.get_running_loop().call_soon(phone.show, _shown(fakes, 1))
    assert texts == ["tin 0", "tin 1"]


async def test_deleting_a_read_message_skips_no_unread_one(fakes: RunningFakes) -> None:
    phone = fakes.telegram.add_person("Lan")
    for number in range(3):
        phone.show(_shown(fakes, number))
    await phone.next_message(timeout_s=0)
    phone.change("0", None)
    assert (await phone.next_message(timeout_s=0)).text == "tin 1"
    with pytest.raises(KeyError):
        phone.change("0", None)


async def test_the_record_file_has_a_line_per_happening(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "record.jsonl"
    world = World(clock=clock, jsonl=path)
    async with running_fakes(world=world) as fakes:
        phone = fakes.telegram.add_person("Lan")
        phone.write("a")
        phone.show(_shown(fakes, 1))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["act", "event", "shown"]
    assert lines[2]["detail"]["text"] == "tin 1"
    assert [line["seq"] for line in lines] == [0, 1, 2]


# Limits.


@given(
    limit=st.integers(1, 5),
    steps=st.lists(st.integers(0, 8), max_size=60),
)
def test_no_window_of_the_span_ever_holds_more_than_the_limit(limit: int, steps: list[int]) -> None:
    window, now = SlidingWindow(limit, 10.0), 0.0
    taken: list[float] = []
    for step in steps:
        now += step
        recent = sum(at > now - 10 for at in taken)
        assert (window.wait_s(now) == 0) == (recent < limit)
        assert window.left(now) == limit - recent
        if recent < limit:
            window.take(now)
            taken.append(now)


@given(steps=st.lists(st.floats(0, 3, allow_nan=False), max_size=60))
def test_a_pace_never_lets_more_than_burst_plus_elapsed_through(steps: list[float]) -> None:
    pace, now = PacePerKey(1.0, 3), 0.0
    taken: list[float] = []
    for step in steps:
        now += step
        if pace.wait_s("lan", now) == 0:
            pace.take("lan", now)
            taken.append(now)
        assert pace.wait_s("minh", now) == 0
    for index, start in enumerate(taken):
        for number, end in enumerate(taken[index:], start=1):
            assert number <= 3 + (end - start) + 1e-6


def test_a_clock_without_time_zone_is_refused(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="aware"):
        ManualClock(clock().replace(tzinfo=None))


# The posting client.


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\nlong story", 500),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", None),
        (b"nonsense\r\n\r\n", None),
        (b"", None),
    ],
)
async def test_the_webhook_client_understands_servers(answer: bytes, status: int | None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    client = WebhookClient()
    if status is None:
        with pytest.raises(NoAnswer):
            await client.post(url, b"", headers={}, timeout_s=1)
    else:
        assert await client.post(url, b"", headers={}, timeout_s=1) == status
    client.close()
    server.close()


async def test_the_webhook_client_keeps_its_connection_and_survives_a_restart(receiver: Any) -> None:
    client = WebhookClient()
    for _ in range(3):
        assert await client.post(receiver.url, b"{}", headers={"x-a": "1"}, timeout_s=1) == 200
    assert sum(map(len, client._idle.values())) == 1
    port = int(receiver.url.split(":")[2].split("/")[0])
    another = LoopbackServer(receiver)
    restarted_url = await another.start()
    assert await client.post(restarted_url, b"{}", headers={}, timeout_s=1) == 200
    await another.stop()
    again = LoopbackServer(receiver, port=int(restarted_url.rpartition(":")[2]))
    assert await again.start() == restarted_url
    assert await client.post(restarted_url, b"{}", headers={}, timeout_s=1) == 200
    assert port != int(restarted_url.rpartition(":")[2])
    await again.stop()
    client.close()


# Driving from another program.


class Control:
    """A program in another language, as it were."""

    def __init__(self, http: httpx.AsyncClient, base: str) -> None:
        self._http = http
        self._base = f"{base}/_control"

    async def get(self, path: str, **query: Any) -> Any:
        return (await self._http.get(f"{self._base}/{path}", params=query)).json()

    async def post(self, path: str, **body: Any) -> Any:
        return (await self._http.post(f"{self._base}/{path}", json=body)).json()

    async def status(self, path: str, **body: Any) -> int:
        return (await self._http.post(f"{self._base}/{path}", json=body)).status_code


async def test_people_are_driven_and_watched_over_http(world: World, client: httpx.AsyncClient) -> None:
    async with running_fakes(world=world, wrap=ControlApp) as fakes:
        control = Control(client, fakes.urls[Platform.ZALO_OA])
        lan = (await control.post("telegram/people", name="Lan"))["id"]
        assert await control.get("telegram/people") == [{"id": lan, "name": "Lan"}]
        assert (await control.post(f"telegram/people/{lan}/follow"))["message_id"] == "1"
        photo = base64.b64encode(b"jpeg").decode()
        await control.post(f"telegram/people/{lan}/send_photo", content=photo, caption="Ổ gà")
        await control.post("telegram/faults", script=[{"kind": "rate_limited", "retry_after_s": 5}])
        send = f"{fakes.urls[Platform.TELEGRAM]}/bot{fakes.telegram.token}/sendMessage"
        keyboard = {"inline_keyboard": [[{"text": "Có", "callback_data": "1"}]]}
        message = {"chat_id": lan, "text": "Chào", "reply_markup": keyboard}
        assert (await client.post(send, json=message)).status_code == 429
        assert (await client.post(send, json=message)).status_code == 200
        screen = await control.get(f"telegram/people/{lan}/screen")
        assert screen["next"] == 1
        assert screen["messages"][0]["text"] == "Chào"
        assert screen["messages"][0]["buttons"] == [{"label": "Có", "value": "1", "kind": "callback"}]
        assert (await control.get(f"telegram/people/{lan}/screen", after=1))["messages"] == []
        assert (await control.post(f"telegram/people/{lan}/tap", label="Có"))["message_id"]
        stats = (await control.get("stats"))["telegram"]
        assert stats["calls"] == {"sendMessage": 2}
        assert (stats["shown"], stats["violations"], stats["idle"]) == (1, {}, False)
        record = await control.get("record", after=1)
        assert record[0]["seq"] == 1
        assert (await control.get("settings"))["NGHEDAN_TELEGRAM_TOKEN"] == fakes.telegram.token


async def test_the_oa_console_is_driven_over_http(
    world: World, client: httpx.AsyncClient, receiver: Any
) -> None:
    async with running_fakes(world=world, wrap=ControlApp) as fakes:
        control = Control(client, fakes.urls[Platform.TELEGRAM])
        await control.post("zalo_oa/webhook", url=receiver.url)
        await control.post("zalo_oa/templates", template_id="1", text="Mời {ten}")
        person = (await control.post("zalo_oa/people", name="Lan", number="84912345678"))["id"]
        await control.post(f"zalo_oa/people/{person}/write", text="a")
        await receiver.wait_for(1)
        assert fakes.zalo_oa.templates["1"].parameters == {"ten"}
        answer = await control.post("zalo_bot/faults", mode="flaky", seed=9)
        assert answer == {"mode": "flaky", "scripted_left": 0}
        assert fakes.zalo_bot.faults.seed == 9


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("viber/people", {"name": "Lan"}, 404),
        ("telegram/people", {}, 400),
        ("telegram/people/1/write", {"text": "a"}, 404),
        ("telegram/people/{id}/next_message", {}, 404),
        ("telegram/people/{id}/write", {"words": "a"}, 400),
        ("telegram/people/{id}/tap", {"label": "Có"}, 404),
        ("telegram/people/{id}/send_photo", {"content": "***"}, 400),
        ("telegram/faults", {"mode": "stormy"}, 400),
        ("telegram/faults", {"script": [{"kind": "earthquake"}]}, 400),
        ("zalo_bot/webhook", {"url": "http://127.0.0.1"}, 404),
        ("nothing", {}, 404),
    ],
)
async def test_control_mistakes_are_4xx(
    world: World, client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int
) -> None:
    async with running_fakes(world=world, wrap=ControlApp) as fakes:
        person = fakes.telegram.add_person("Lan")
        control = Control(client, fakes.urls[Platform.TELEGRAM])
        assert await control.status(path.format(id=person.chat_id), **body) == status
        assert fakes.world.record.total(Happening.ACT) == 0


async def test_acts_a_platform_lacks_are_409(world: World, client: httpx.AsyncClient) -> None:
    async with running_fakes(world=world, wrap=ControlApp) as fakes:
        person = fakes.zalo_bot.add_person("Lan")
        control = Control(client, fakes.urls[Platform.TELEGRAM])
        assert await control.status(f"zalo_bot/people/{person.chat_id}/tap", label="Có") == 409


async def test_there_is_no_control_unless_asked_for(fakes: RunningFakes, client: httpx.AsyncClient) -> None:
    for url in fakes.urls.values():
        assert (await client.get(f"{url}/_control/stats")).status_code == 404


async def test_the_module_runs_by_itself_and_stops_on_a_signal(
    tmp_path: Path, client: httpx.AsyncClient
) -> None:
    record = tmp_path / "record.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.rehearsal.fakes", "--seed", "5", "--record", str(record)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    settings = {}
    for _ in range(13):
        name, _, value = (
            (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip().partition("=")
        )
        settings[name] = value
    control = Control(client, settings["NGHEDAN_ZALO_BOT_BASE_URL"])
    person = (await control.post("zalo_bot/people", name="Lan"))["id"]
    await control.post(f"zalo_bot/people/{person}/write", text="xin chào")
    url = f"{settings['NGHEDAN_ZALO_BOT_BASE_URL']}/bot{settings['NGHEDAN_ZALO_BOT_TOKEN']}/getUpdates"
    update = (await client.post(url, json={"timeout": 1})).json()["result"]
    assert update["message"]["text"] == "xin chào"
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert len(record.read_text(encoding="utf-8").splitlines()) >= 3

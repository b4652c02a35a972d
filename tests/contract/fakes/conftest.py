"""Served fakes on a clock that the test moves, and a receiver in place of the system under test."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.rehearsal.fakes.asgi import Receive, Scope, Send
from bot.rehearsal.fakes.servers import LoopbackServer, RunningFakes, running_fakes
from bot.rehearsal.fakes.world import ManualClock, World

# Nine in the morning in Viet Nam.
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Received:
    """One webhook request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float

    @property
    def event(self) -> dict[str, Any]:
        """The JSON body."""
        event: dict[str, Any] = json.loads(self.body)
        return event


class Receiver:
    """Keeps every webhook request; answers 200, or what `statuses` says, after `delay_s`."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.statuses: deque[int] = deque()
        self.delay_s = 0.0
        self.url = ""
        self._arrived = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        at_s = asyncio.get_running_loop().time()
        self.requests.append(Received(scope["path"], headers, body, at_s))
        self._arrived.set()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        status = self.statuses.popleft() if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def wait_for(self, number: int) -> list[Received]:
        """The requests, once there are `number` of them; fails after two seconds."""
        async with asyncio.timeout(2):
            while len(self.requests) < number:
                self._arrived.clear()
                await self._arrived.wait()
        return self.requests

    def named(self, event_name: str) -> list[Received]:
        """The Zalo events of one name."""
        return [request for request in self.requests if request.event.get("event_name") == event_name]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(clock=clock, seed=7)


@pytest.fixture
async def fakes(world: World) -> AsyncIterator[RunningFakes]:
    async with running_fakes(world=world) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    # Loopback only: loading the certificates would take longer than most of these tests.
    async with httpx.AsyncClient(timeout=3, trust_env=False, verify=False) as http:
        yield http


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    stand_in = Receiver()
    server = LoopbackServer(stand_in)
    stand_in.url = f"{await server.start()}/webhooks/here"
    yield stand_in
    await server.stop()

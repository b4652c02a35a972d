"""A served office and a client that knows the page's part of the conversation."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.contract.simulator.office import Office, OfficeServer, wait_until


@dataclass
class StreamEvent:
    """One Server-Sent Event."""

    name: str = "message"
    id: str = ""
    data: Any = None


@dataclass
class Phone:
    """What the page does, by plain HTTP."""

    http: httpx.Client
    person: str = field(default_factory=lambda: secrets.token_hex(16))

    def post(self, kind: str, *, message_id: str | None = None, **more: Any) -> httpx.Response:
        """Post one message as JSON."""
        message = {"person": self.person, "id": message_id or secrets.token_hex(16), "kind": kind, **more}
        return self.http.post("/simulator/api/messages", json=message)

    def upload(
        self, content: bytes, *, name: str = "", mime_type: str = "", message_id: str | None = None
    ) -> httpx.Response:
        """Post one file; `name` is already percent-encoded."""
        headers = {
            "Content-Type": mime_type,
            "X-Person": self.person,
            "X-Message-Id": message_id or secrets.token_hex(16),
            "X-File-Name": name,
        }
        return self.http.post("/simulator/api/files", content=content, headers=headers)

    def ask(self, after: str | None = None) -> tuple[list[dict[str, Any]], str]:
        """What is on the phone after a cursor, and the next cursor."""
        query = {"person": self.person} | ({"after": after} if after else {})
        answer = self.http.get("/simulator/api/messages", params=query).json()
        return answer["messages"], answer["cursor"]

    def wait_for(self, number: int) -> list[dict[str, Any]]:
        """All bubbles, once there are `number` of them."""
        wait_until(lambda: len(self.ask()[0]) >= number, within_s=3)
        return self.ask()[0]

    @contextmanager
    def stream(self, *, after: str | None = None, last_event_id: str | None = None) -> Iterator[Any]:
        """Inside, an iterator over the stream's events."""
        query = {"person": self.person} | ({"after": after} if after else {})
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        with self.http.stream("GET", "/simulator/api/stream", params=query, headers=headers) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield _events(response)


def _events(response: httpx.Response) -> Iterator[StreamEvent]:
    event = StreamEvent()
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            event.name = value
        elif name == "id":
            event.id = value
        elif name == "data":
            event.data = json.loads(value)
        elif not line:
            yield event
            event = StreamEvent()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeServer]:
    uploads = tmp_path_factory.mktemp("uploads")
    server = OfficeServer(Office(uploads=uploads, max_file_bytes=50_000, max_streams=3, beat_s=0.2))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: OfficeServer) -> OfficeServer:
    """A running office in which nothing has happened yet; every test brings its own people."""
    wait_until(lambda: running.office.channel.talks.listening == 0)
    running.office.clear()
    return running


@pytest.fixture
def office(server: OfficeServer) -> Office:
    return server.office


@pytest.fixture
def http(server: OfficeServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture
def phone(http: httpx.Client) -> Phone:
    return Phone(http)


@pytest.fixture
def other_phone(http: httpx.Client) -> Phone:
    return Phone(http)

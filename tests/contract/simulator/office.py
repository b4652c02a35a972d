"""The least that can stand behind the phone: an office that stores every event once and answers in order."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from bot.simulator.channel import SimulatorChannel
from bot.simulator.routes import make_router
from core.outbox.port import Choice, Incoming, IncomingKind, Outgoing
from core.text.normal import fold

CONSENT = (Choice("Tôi đồng ý", "consent:yes"), Choice("Tôi không đồng ý", "consent:no"))
GREETING = "Kính chào bà con! Bà con có đồng ý không ạ?\n1. Tôi đồng ý\n2. Tôi không đồng ý"
THANKS = "Dạ, cảm ơn ông/bà đã đồng ý."


@dataclass(frozen=True)
class Answer:
    """What the office says to one event."""

    text: str
    choices: tuple[Choice, ...] = ()


def answer(event: Incoming) -> Answer:
    """Greets, takes the consent by tap, number or word, and repeats the start of everything else."""
    if event.kind is IncomingKind.FOLLOWED:
        return Answer(GREETING, CONSENT)
    text = event.text or ""
    if text == "consent:yes" or fold(text) in ("1", "toi dong y"):
        return Answer(THANKS)
    if event.kind is IncomingKind.TEXT:
        return Answer(f"Dạ, đã nhận {len(text)} ký tự: «{text[:60]}»")
    return Answer(f"Dạ, đã nhận {event.kind}.")


class Office:
    """Survives restarts of the app like a database: `stored` is every event once, in order of arrival."""

    def __init__(self, *, uploads: Path | None = None, **router_options: Any) -> None:
        self.stored: dict[str, Incoming] = {}
        self.calls = 0
        self.broken = False
        self.silent = False
        self.channel = SimulatorChannel(folder=uploads)
        self._uploads = uploads
        self._router_options = router_options
        self._delivery_ids = count(1)

    def app(self) -> FastAPI:
        """A fresh start of the app: a new channel with empty memory, the same stored events."""
        self.channel = SimulatorChannel(folder=self._uploads)
        arrived: asyncio.Queue[Incoming] = asyncio.Queue()

        async def receive(events: list[Incoming]) -> None:
            self.calls += 1
            if self.broken:
                raise OSError("the database is away")
            for event in events:
                if event.external_id not in self.stored:
                    self.stored[event.external_id] = event
                    arrived.put_nowait(event)

        async def answer_all() -> None:
            while True:
                event = await arrived.get()
                if not self.silent:
                    await self.say(event.sender_id, answer(event))

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            answering = asyncio.create_task(answer_all())
            yield
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await answering
            await self.channel.close()

        app = FastAPI(lifespan=lifespan)
        app.include_router(make_router(self.channel, receive, **self._router_options))
        return app

    async def say(self, person: str, said: Answer) -> str:
        """Send one message through the channel; returns its external id."""
        outgoing = Outgoing(next(self._delivery_ids), person, said.text, said.choices)
        return await self.channel.send(outgoing)

    def clear(self) -> None:
        """Forget what happened, as if the office had just opened."""
        self.stored.clear()
        self.calls = 0
        self.broken = self.silent = False

    @property
    def events(self) -> list[Incoming]:
        """The stored events in order."""
        return list(self.stored.values())


class OfficeServer:
    """The office's app on a loopback port, in a thread with its own loop; can be restarted."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Base URL, the same after a restart."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve; the first start takes a free port."""
        config = uvicorn.Config(
            self.office.app(), host="127.0.0.1", port=self.port, log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        self._server = server
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(server)), daemon=True)
        self._thread.start()
        wait_until(lambda: server.started or not self._thread_alive())
        assert server.started, "the port is taken"
        self.port = server.servers[0].sockets[0].getsockname()[1]

    async def _serve(self, server: uvicorn.Server) -> None:
        self._loop = asyncio.get_running_loop()
        await server.serve()

    def stop(self) -> None:
        """Cut every connection, as a killed program would, and wait for the end."""
        if self._server is None or self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._cut, self._server)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._server = None

    @staticmethod
    def _cut(server: uvicorn.Server) -> None:
        server.should_exit = True
        for listening in server.servers:
            listening.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()

    def _thread_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine, run where the app runs."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def say(self, person: str, text: str, *choices: Choice) -> str:
        """A message of the office that nobody asked for."""
        external_id: str = self.run(self.office.say(person, Answer(text, choices)))
        return external_id


def wait_until(condition: Any, *, within_s: float = 10.0) -> None:
    """Return when `condition()` is true; fails after `within_s`."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s"
        time.sleep(0.02)

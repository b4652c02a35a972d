"""Serving the fakes: three loopback servers in the running event loop, opened and closed together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from bot.rehearsal.fakes.platform import FakePlatform
from bot.rehearsal.fakes.telegram import TelegramFake
from bot.rehearsal.fakes.world import Platform, World
from bot.rehearsal.fakes.zalo_bot import ZaloBotFake
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake

# Real platforms keep idle connections for a minute or more; uvicorn's 5 s would break reused ones.
_KEEP_ALIVE_S = 75
_CLOSING_S = 2.0
_BACKLOG = 2048


class LoopbackServer:
    """One ASGI application on one port of this machine, without signal handlers, threads or log set-up."""

    def __init__(self, app: Any, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0 takes a free one."""
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE_S,
            backlog=_BACKLOG,
        )
        self._server = uvicorn.Server(config)
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None

    async def start(self) -> str:
        """Listen, and return the base URL. Raises `OSError` when the port is taken."""
        # Named as TCP because asyncio switches Nagle's delay off (40 ms an answer) only where it sees that.
        self._socket = listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self._host, self._port))
        except OSError:
            listening.close()
            raise
        config = self._server.config
        config.load()
        # Only the listening half of `Server.serve`: its main loop would take the process's signals.
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[listening])
        return f"http://{self._host}:{listening.getsockname()[1]}"

    async def stop(self) -> None:
        """Close the port and every connection; requests still being answered are abandoned."""
        state = self._server.server_state
        for server in self._server.servers:
            server.close()
        # A closed connection ends held answers and long polls by themselves; what sleeps on is cut off.
        for connection in list(state.connections):
            connection.transport.close()
        if state.tasks:
            _, sleeping = await asyncio.wait(list(state.tasks), timeout=_CLOSING_S)
            for task in sleeping:
                task.cancel()
        if self._socket is not None:
            self._socket.close()


@dataclass
class RunningFakes:
    """The three fakes while they are served; `urls` has each one's base address."""

    world: World
    telegram: TelegramFake
    zalo_oa: ZaloOAFake
    zalo_bot: ZaloBotFake
    urls: dict[Platform, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[FakePlatform, ...]:
        """The three, in the order of `Platform`."""
        return self.telegram, self.zalo_oa, self.zalo_bot

    def settings(self, *, telegram_secret: str = "", zalo_bot_secret: str = "") -> dict[str, str]:
        """The environment (`NGHEDAN_…`) that connects the system under test to these fakes."""
        oa = self.zalo_oa
        return {
            "NGHEDAN_TELEGRAM_TOKEN": self.telegram.token,
            "NGHEDAN_TELEGRAM_WEBHOOK_SECRET": telegram_secret,
            "NGHEDAN_TELEGRAM_BASE_URL": self.urls[Platform.TELEGRAM],
            "NGHEDAN_ZALO_OA_APP_ID": oa.app_id,
            "NGHEDAN_ZALO_OA_APP_SECRET": oa.app_secret,
            "NGHEDAN_ZALO_OA_SECRET_KEY": oa.oa_secret_key,
            "NGHEDAN_ZALO_OA_ID": oa.oa_id,
            "NGHEDAN_ZALO_OA_REFRESH_TOKEN": oa.tokens.refresh_token,
            "NGHEDAN_ZALO_OA_BASE_URL": self.urls[Platform.ZALO_OA],
            "NGHEDAN_ZALO_OAUTH_BASE_URL": self.urls[Platform.ZALO_OA],
            "NGHEDAN_ZALO_BOT_TOKEN": self.zalo_bot.token,
            "NGHEDAN_ZALO_BOT_WEBHOOK_SECRET": zalo_bot_secret,
            "NGHEDAN_ZALO_BOT_BASE_URL": self.urls[Platform.ZALO_BOT],
        }

    async def settled(self, *, timeout_s: float) -> bool:
        """Wait until no update waits for the system under test; False when that took too long."""
        until = asyncio.get_running_loop().time() + timeout_s
        while not all(fake.idle for fake in self.all):
            if asyncio.get_running_loop().time() >= until:
                return False
            await asyncio.sleep(0.02)
        return True


@asynccontextmanager
async def running_fakes(
    *,
    world: World | None = None,
    telegram: TelegramFake | None = None,
    zalo_oa: ZaloOAFake | None = None,
    zalo_bot: ZaloBotFake | None = None,
    host: str = "127.0.0.1",
    ports: Mapping[Platform, int] | None = None,
    wrap: Callable[[RunningFakes, Any], Any] | None = None,
) -> AsyncIterator[RunningFakes]:
    """Serve the three fakes on free ports (or `ports`) of `host` until the block ends.

    Fakes that are not given are made with their defaults, in the world of those that are; `wrap` may put
    an application in front of each. The record file, if any, is closed at the end.
    """
    given = next((fake for fake in (telegram, zalo_oa, zalo_bot) if fake is not None), None)
    world = world or (given.world if given else World())
    fakes = RunningFakes(
        world,
        telegram or TelegramFake(world),
        zalo_oa or ZaloOAFake(world),
        zalo_bot or ZaloBotFake(world),
    )
    servers: list[LoopbackServer] = []
    try:
        for fake in fakes.all:
            app = wrap(fakes, fake.app) if wrap else fake.app
            server = LoopbackServer(app, host=host, port=(ports or {}).get(fake.platform, 0))
            fake.base_url = fakes.urls[fake.platform] = await server.start()
            servers.append(server)
        yield fakes
    finally:
        for fake in fakes.all:
            await fake.close()
        for server in servers:
            await server.stop()
        world.record.close()

"""The app process: gateway, turns, senders and jobs in one program, started and stopped together."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
from fastapi import FastAPI

from bot.attachments import AttachmentLoop
from bot.channels.factory import make_channels
from bot.channels.zalo_oa import ZaloOAChannel
from bot.engine import RasaEngine
from bot.gateway import gateway_router
from bot.polling import Poller
from bot.retention import RetentionLoop
from bot.sender import Sender
from bot.signals import WakeUp
from bot.simulator.channel import SimulatorChannel
from bot.simulator.routes import make_router
from bot.tokens import DatabaseTokenStore
from bot.turns import TurnLoop
from bot.upkeep import TokenUpkeep
from bot.voices import VoiceLoop
from bot.webhooks import WebhookRegistration
from core.clock import utc_now
from core.intake import receive
from core.outbox.port import Channel, ChannelName, Incoming, WebhookOwner
from core.settings import Settings
from storage.database import Database

log = structlog.get_logger("nghedan.app")


@dataclass(slots=True)
class Parts:
    """The long-lived objects of the app process."""

    settings: Settings
    database: Database
    engine: RasaEngine
    channels: dict[ChannelName, Channel]
    turn_loop: TurnLoop
    senders: dict[ChannelName, Sender]
    loops: list[Callable[[], Coroutine[None, None, None]]] = field(default_factory=list)

    async def receive(self, events: list[Incoming]) -> None:
        """Store events durably, then wake the turn loop; returning means that they are safe."""
        await asyncio.to_thread(self._store, events)
        self.turn_loop.arrived.ring()

    def _store(self, events: list[Incoming]) -> None:
        with self.database.write() as session:
            receive.store(session, events, now=utc_now())


class _Fan(WakeUp):
    """Rings every sender: a turn does not know through which account its reply goes."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[WakeUp] = []

    def ring(self) -> None:
        """Wake all."""
        for target in self.targets:
            target.ring()


def holder_name(settings: Settings) -> str:
    """Stable across restarts of one installation: the port keeps a second one from starting beside it."""
    return f"{socket.gethostname()[:30]}:{settings.http_port}:{os.getuid()}"


def build(settings: Settings) -> Parts:
    """Make every part; nothing runs yet."""
    database = Database(settings.resolved_database_url)
    holder = holder_name(settings)

    def token_store_for(account_id: str) -> DatabaseTokenStore:
        return DatabaseTokenStore(database, channel=ChannelName.ZALO_OA, account_id=account_id, holder=holder)

    channels = make_channels(settings, token_store_for)
    if settings.simulator:
        channels[ChannelName.SIMULATOR] = SimulatorChannel()
    engine = RasaEngine(
        settings.rasa_url, token=settings.rasa_token.get_secret_value(), timeout_s=settings.rasa_timeout_s
    )
    replied = _Fan()
    turn_loop = TurnLoop(database, engine, holder=holder, workers=settings.turn_workers, replied=replied)
    senders = {name: Sender(database, channel, holder=holder) for name, channel in channels.items()}
    replied.targets = [sender.queued for sender in senders.values()]
    parts = Parts(settings, database, engine, channels, turn_loop, senders)
    parts.loops = [turn_loop.run, *(sender.run for sender in senders.values())]
    if settings.public_url:
        parts.loops += [
            WebhookRegistration(channel, public_url=settings.public_url).run
            for channel in channels.values()
            if isinstance(channel, WebhookOwner)
        ]
    else:
        parts.loops += [
            Poller(database, channel, holder=holder, arrived=turn_loop.arrived).run
            for channel in channels.values()
            if channel.capabilities.polling
        ]
    parts.loops += [
        TokenUpkeep(channel.tokens, account=channel.account_id).run
        for channel in channels.values()
        if isinstance(channel, ZaloOAChannel)
    ]
    folder = settings.attachments_dir
    parts.loops += [
        AttachmentLoop(database, channels, folder=folder, max_bytes=settings.max_attachment_bytes).run,
        VoiceLoop(database, settings.transcriber, folder=folder, queued=replied.ring).run,
        RetentionLoop(
            database, hold_hours=settings.consent_hold_hours, attachments=settings.attachments_dir
        ).run,
    ]
    return parts


def make_app(settings: Settings) -> FastAPI:
    """The web application; its loops run from start-up to shut-down."""
    parts = build(settings)
    console = load_console(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if console is not None:
                await stack.enter_async_context(console.router.lifespan_context(console))
            tasks = [asyncio.create_task(_forever(loop)) for loop in parts.loops]
            stack.push_async_callback(_close, parts)
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(title="Nghe Dân", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.include_router(gateway_router(parts))
    simulator = parts.channels.get(ChannelName.SIMULATOR)
    if isinstance(simulator, SimulatorChannel):
        app.include_router(make_router(simulator, parts.receive))
    if console is not None:
        app.mount("/console", console)
    return app


def load_console(settings: Settings) -> FastAPI | None:
    """The staff's application by the name in the settings: entry rooms do not import each other."""
    if not settings.console_app:
        return None
    module, _, factory = settings.console_app.partition(":")
    made = getattr(importlib.import_module(module), factory)(settings)
    assert isinstance(made, FastAPI)
    return made


async def _forever(loop: Callable[[], Coroutine[None, None, None]]) -> None:
    """Keep a loop alive: a database that is away for a moment must not silence the program."""
    while True:
        try:
            await loop()
        except asyncio.CancelledError:
            raise
        except Exception:  # The one boundary of a loop: log and begin again.
            log.exception("loop crashed")
            await asyncio.sleep(1.0)


async def _close(parts: Parts) -> None:
    for channel in parts.channels.values():
        await channel.close()
    await parts.engine.close()
    parts.database.dispose()

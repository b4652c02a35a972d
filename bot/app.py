"""The app: gateway, turns, senders and jobs, all in one program or spread over several by settings."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog
from fastapi import FastAPI

from bot.alarms import AlarmLoop
from bot.attachments import AttachmentLoop
from bot.bells import SenderBell, ring_senders
from bot.channels.factory import make_channels
from bot.channels.zalo_oa import ZaloOAChannel
from bot.conversation_jobs import ConversationJobs
from bot.engine import RasaEngine
from bot.gateway import gateway_router
from bot.intake import Intake
from bot.leased import Leased
from bot.polling import Poller
from bot.retention import RetentionLoop
from bot.schedules import ScheduleLoop
from bot.sender import Sender
from bot.signals import WakeUp
from bot.simulator.channel import SimulatorChannel
from bot.simulator.routes import make_router
from bot.tokens import DatabaseTokenStore
from bot.turns import TurnLoop
from bot.upkeep import TokenUpkeep
from bot.voices import VoiceLoop
from bot.webhooks import WebhookRegistration
from core.broadcast.rules import rules_of
from core.outbox.port import Channel, ChannelName, WebhookOwner
from core.outbox.tariff import tariff_of
from core.settings import Settings
from storage.database import Database

log = structlog.get_logger("nghedan.app")


Loop = Callable[[], Coroutine[None, None, None]]
# With a queue, the sweep only finds what the queue lost.
_SWEEP_GRACE_S = 4.0


@dataclass(slots=True)
class Parts:
    """The long-lived objects of one program, and the loops of its roles."""

    settings: Settings
    database: Database
    engine: RasaEngine
    channels: dict[ChannelName, Channel]
    intake: Intake
    loops: list[Loop] = field(default_factory=list)


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
    """Stable across restarts of one program: the port or the name keeps a second one from starting beside it."""
    return f"{socket.gethostname()[:30]}:{settings.instance or settings.http_port}:{os.getuid()}"


def build(settings: Settings) -> Parts:
    """Make the parts of this program's roles; nothing runs yet."""
    database = Database(settings.resolved_database_url)
    holder = holder_name(settings)

    def token_store_for(account_id: str) -> DatabaseTokenStore:
        return DatabaseTokenStore(database, channel=ChannelName.ZALO_OA, account_id=account_id, holder=holder)

    channels = make_channels(settings, token_store_for)
    roles = settings.role_names
    if settings.simulator and {"gateway", "sender"} <= roles:
        channels[ChannelName.SIMULATOR] = SimulatorChannel()
    engine = RasaEngine(
        settings.rasa_url, token=settings.rasa_token.get_secret_value(), timeout_s=settings.rasa_timeout_s
    )
    jobs = ConversationJobs(database) if settings.several_programs else None
    replied = _Fan()
    turn_loop = TurnLoop(
        database,
        engine,
        holder=holder,
        workers=settings.turn_workers,
        replied=replied,
        replying=ring_senders if jobs else _nothing,
        grace_s=_SWEEP_GRACE_S if jobs else 0.0,
        takeover=timedelta(hours=settings.human_takeover_hours),
    )
    intake = Intake(database, announce=jobs.defer if jobs else _nothing, arrived=turn_loop.arrived.ring)
    parts = Parts(settings, database, engine, channels, intake)
    if "turns" in roles:
        parts.loops.append(turn_loop.run)
        if jobs:
            parts.loops.append(
                partial(jobs.work, turn_loop.converse, name=holder, concurrency=settings.turn_workers)
            )
    if "sender" in roles:
        quiet = rules_of(settings).quiet
        senders = [
            Sender(database, channel, holder=holder, tariff=tariff_of(name, settings), quiet=quiet)
            for name, channel in channels.items()
        ]
        replied.targets = [sender.queued for sender in senders]
        parts.loops += [sender.run for sender in senders]
        if jobs:
            parts.loops.append(SenderBell(database, replied.ring).run)
    if "gateway" in roles:
        parts.loops += _inlets(settings, database, channels, intake, holder=holder)
    if "jobs" in roles:
        loops = _jobs(settings, database, channels, queued=replied.ring)
        # Alone, there is nobody to share with.
        parts.loops += [Leased(database, "jobs", loops, holder=holder).run] if jobs else loops
    return parts


def _nothing(*_: object) -> None:
    return None


def _inlets(
    settings: Settings,
    database: Database,
    channels: Mapping[ChannelName, Channel],
    intake: Intake,
    *,
    holder: str,
) -> list[Loop]:
    """How messages come in: webhooks where there is a public address, else long polling."""
    if settings.public_url:
        return [
            WebhookRegistration(channel, public_url=settings.public_url).run
            for channel in channels.values()
            if isinstance(channel, WebhookOwner)
        ]
    return [
        Poller(database, channel, holder=holder, intake=intake).run
        for channel in channels.values()
        if channel.capabilities.polling
    ]


def _jobs(
    settings: Settings,
    database: Database,
    channels: Mapping[ChannelName, Channel],
    *,
    queued: Callable[[], None],
) -> list[Loop]:
    """What is done now and then, once for the whole installation."""
    folder = settings.attachments_dir
    return [
        *(
            TokenUpkeep(channel.tokens, account=channel.account_id).run
            for channel in channels.values()
            if isinstance(channel, ZaloOAChannel)
        ),
        AttachmentLoop(database, channels, folder=folder, max_bytes=settings.max_attachment_bytes).run,
        VoiceLoop(database, settings.transcriber, folder=folder, queued=queued).run,
        ScheduleLoop(database, settings, queued=queued).run,
        AlarmLoop(database, channels, chat=settings.alarm_chat, queued=queued).run,
        RetentionLoop(database, hold_hours=settings.consent_hold_hours, attachments=folder).run,
    ]


def make_app(settings: Settings) -> FastAPI:
    """The web application; its loops run from start-up to shut-down."""
    parts = build(settings)
    console = load_console(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if console is not None:
                await stack.enter_async_context(console.router.lifespan_context(console))
            await stack.enter_async_context(running(parts))
            yield

    app = FastAPI(title="Nghe Dân", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.include_router(gateway_router(parts))
    simulator = parts.channels.get(ChannelName.SIMULATOR)
    if isinstance(simulator, SimulatorChannel):
        app.include_router(make_router(simulator, parts.intake.receive))
    if console is not None:
        app.mount("/console", console)
    return app


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """The loops of the parts at work; at the end they stop in order and everything is closed."""
    tasks = [asyncio.create_task(_forever(loop)) for loop in parts.loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _close(parts)


def load_console(settings: Settings) -> FastAPI | None:
    """The staff's application by the name in the settings: entry rooms do not import each other."""
    if not settings.console_app:
        return None
    module, _, factory = settings.console_app.partition(":")
    made = getattr(importlib.import_module(module), factory)(settings)
    assert isinstance(made, FastAPI)
    return made


async def _forever(loop: Loop) -> None:
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
    await parts.intake.close()
    for channel in parts.channels.values():
        await channel.close()
    await parts.engine.close()
    parts.database.dispose()

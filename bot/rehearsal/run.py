"""The whole chain, rehearsed: announce, contact, consent, concerns, close, group, agenda, answers.

Synthetic citizens talk to the real programs through the fake platforms only; what counts at the end is
what the phones showed and what the database holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.rehearsal import report
from bot.rehearsal.citizen import Citizen
from bot.rehearsal.concerns_file import FileConcern
from bot.rehearsal.fakes.faults import FaultMode, FaultPlan
from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.telegram import TelegramFake, TelegramRules
from bot.rehearsal.fakes.world import Platform, World
from bot.rehearsal.fakes.zalo_bot import ZaloBotFake, ZaloBotRules
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake, ZaloOARules
from bot.rehearsal.office import Office
from bot.rehearsal.system import SystemUnderRehearsal
from core.places import Gazetteer
from core.settings import Settings
from core.text.normal import fold

Say = Callable[[str], None]

_SECRET = "dien-tap-khong-phai-bi-mat"  # between two programs on loopback
# A busy hour of a province must fit the plan; the strict fake refuses what is above it.
_OA_CALLS_A_MINUTE = 2_000
_AT_ONCE = 12
_SETTLE_S = 120.0
_QUIET_S = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to rehearse. `faults`: none, flaky or chaos; `citizens` share the concerns evenly."""

    concerns: Sequence[FileConcern]
    channels: Sequence[Platform]
    citizens: int
    seed: int
    faults: str
    database_url: str
    out: Path
    workers: int = 0
    senders: int = 0


def rehearse(plan: Plan, *, settings: Settings, say: Say) -> dict[str, Any]:
    """Run the plan and return the figures; raises what makes a run meaningless."""
    return asyncio.run(_rehearse(plan, settings=settings, say=say))


async def _rehearse(plan: Plan, *, settings: Settings, say: Say) -> dict[str, Any]:
    started = time.monotonic()
    async with _fakes(plan) as fakes:
        environment = fakes.settings(telegram_secret=_SECRET, zalo_bot_secret=_SECRET)
        environment |= {"NGHEDAN_ZALO_OA_MESSAGES_PER_MINUTE": str(_OA_CALLS_A_MINUTE)}
        system = SystemUnderRehearsal(
            plan.out / "he-thong",
            environment=environment,
            database_url=plan.database_url,
            models=settings.models_dir,
            workers=plan.workers,
            senders=plan.senders,
        )
        try:
            await asyncio.to_thread(system.prepare, say=say)
            say("Diễn tập: khởi động hệ thống…")
            await asyncio.to_thread(system.start)
            await _connect(fakes, system)
            office = Office(system.settings)
            try:
                figures = await _chain(plan, fakes, system, office, say=say)
            finally:
                office.close()
        finally:
            await asyncio.to_thread(system.stop)
    return {**figures, "wall_s": round(time.monotonic() - started, 1)}


@asynccontextmanager
async def _fakes(plan: Plan) -> AsyncIterator[RunningFakes]:
    mode = FaultMode.NONE if plan.faults == "none" else FaultMode.FLAKY
    world = World(seed=plan.seed)
    faults = [FaultPlan(mode, seed=plan.seed + number) for number in range(3)]
    # Repetitions come after seconds instead of minutes; everything else is as strict as the platforms.
    telegram = TelegramFake(world, faults=faults[0], rules=TelegramRules(retry_base_s=0.2, retry_cap_s=2.0))
    zalo_oa = ZaloOAFake(
        world,
        faults=faults[1],
        rules=ZaloOARules(
            calls_per_minute=_OA_CALLS_A_MINUTE, time_factor=0.02, retry_on_bad_status=True, wallet_vnd=0
        ),
    )
    zalo_bot = ZaloBotFake(
        world,
        faults=faults[2],
        rules=ZaloBotRules(messages_per_month=1_000_000, refuse_private_addresses=False),
    )
    async with running_fakes(world=world, telegram=telegram, zalo_oa=zalo_oa, zalo_bot=zalo_bot) as fakes:
        yield fakes


async def _connect(fakes: RunningFakes, system: SystemUnderRehearsal) -> None:
    """Do what an administrator does in each platform's console: enter the webhook's address."""
    fakes.telegram.set_webhook(url=f"{system.url}/webhooks/telegram", secret_token=_SECRET)
    fakes.zalo_oa.set_webhook(f"{system.url}/webhooks/zalo-oa")
    await fakes.zalo_bot.set_webhook(f"{system.url}/webhooks/zalo-bot", _SECRET)


async def _chain(
    plan: Plan, fakes: RunningFakes, system: SystemUnderRehearsal, office: Office, *, say: Say
) -> dict[str, Any]:
    citizens = _population(plan, fakes)
    subscribers = citizens[::2]
    say(f"Diễn tập: {len(subscribers)} người đăng ký nhận thông báo…")
    await _all(citizen.subscribe() for citizen in subscribers)
    office.open_session()
    announcement_id, recipients = office.announce()
    say(f"Diễn tập: thông báo tới {recipients} người…")
    await _sent_out(fakes, office)
    say(f"Diễn tập: {len(plan.concerns)} ý kiến từ {len(citizens)} người…")
    async with _trouble(plan, system, every_s=10.0 if plan.workers or plan.senders else 25.0):
        await _all(citizen.tell_all() for citizen in citizens if citizen.concerns)
    await _sent_out(fakes, office)
    say("Diễn tập: đóng nhận ý kiến, lập chương trình…")
    document = await asyncio.to_thread(office.close_and_build)
    files = office.export_all(document, plan.out)
    async with _trouble(plan, system, every_s=4.0):
        published = office.answer(plan.out / "chuong-trinh.xlsx", plan.out)
        say(f"Diễn tập: {published.answers} câu trả lời tới {published.people} người…")
        await _sent_out(fakes, office)
    return {
        **report.concerns(office.database, citizens, document),
        "agenda_files": [str(path) for path in files],
        "announcement": report.announcement(office.database, announcement_id, fakes),
        "answers": report.answers(office.database, office.session_id, fakes),
        "kills": system.kills,
        "violations": fakes.world.record.violations(),
    }


@asynccontextmanager
async def _trouble(plan: Plan, system: SystemUnderRehearsal, *, every_s: float = 25.0) -> AsyncIterator[None]:
    """In `chaos`, kill each process once while the block runs, or right after it; then let all come back."""
    if plan.faults != "chaos":
        yield
        return
    rng = random.Random(plan.seed + len(system.kills))
    killing = asyncio.create_task(system.kill_in_turn(rng, first_after_s=3.0, every_s=every_s))
    try:
        yield
        await killing
    finally:
        killing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killing
    await system.ready_again(within_s=_SETTLE_S)


def _population(plan: Plan, fakes: RunningFakes) -> list[Citizen]:
    """People of random communes, some of whom type without diacritics; concerns dealt out in turn."""
    rng = random.Random(plan.seed)
    communes = [unit.full_name for unit in Gazetteer.load().communes_of("15")]
    by_platform = {fake.platform: fake for fake in fakes.all}
    wait_s = 12.0 if plan.faults == "none" else 15.0
    people: list[Citizen] = []
    for number in range(plan.citizens):
        fake = by_platform[plan.channels[number % len(plan.channels)]]
        commune = rng.choice(communes)
        spelled = fold(commune) if rng.random() < 0.4 else commune
        mine = list(plan.concerns[number :: plan.citizens])
        people.append(Citizen(fake.add_person(f"Người {number + 1}"), spelled, mine, wait_s))
    return people


async def _all(lives: Any) -> None:
    """Let everybody act, a dozen at a time: people do not all write in the same second."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def live(one: Any) -> None:
        async with room:
            await one

    await asyncio.gather(*(live(one) for one in lives))


async def _sent_out(fakes: RunningFakes, office: Office) -> None:
    """Wait until nothing is left to send and every platform has told everything."""
    end = time.monotonic() + _SETTLE_S
    quiet_since: float | None = None
    while time.monotonic() < end:
        for fake in fakes.all:
            fake.retry_now()
        busy = await asyncio.to_thread(report.unfinished, office.database)
        if busy or not all(fake.idle for fake in fakes.all):
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > _QUIET_S:
            return
        await asyncio.sleep(0.25)

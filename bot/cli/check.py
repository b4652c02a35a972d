"""`nghedan check`: looks at every part and says in Vietnamese what to fix."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import httpx
import typer
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.console import load_settings, print_json
from core.outbox.port import Channel, ChannelName
from core.settings import Settings
from core.wording import STAFF
from storage.database import Database
from storage.migrate import head_revision

if TYPE_CHECKING:
    from bot.app import Parts

_NEEDS = {
    ChannelName.TELEGRAM: "NGHEDAN_TELEGRAM_TOKEN",
    ChannelName.ZALO_OA: "NGHEDAN_ZALO_OA_APP_ID, NGHEDAN_ZALO_OA_APP_SECRET, NGHEDAN_ZALO_OA_SECRET_KEY, "
    "NGHEDAN_ZALO_OA_ID, NGHEDAN_ZALO_OA_REFRESH_TOKEN",
    ChannelName.ZALO_BOT: "NGHEDAN_ZALO_BOT_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `ok` None means switched off on purpose."""

    part: str
    ok: bool | None
    message: str


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("check", help="Kiểm tra cấu hình, cơ sở dữ liệu, Rasa, các kênh; nói cần sửa gì.")(check)


def check(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Look at every part; exit code 1 when something must be mended."""
    settings = load_settings()
    findings = [Finding("settings", True, STAFF.say("check.settings_ok")), check_database(settings)]
    findings += asyncio.run(_check_services(settings))
    if settings.simulator and settings.public_url:
        findings.append(Finding("simulator", None, STAFF.say("check.production_hint")))
    if as_json:
        print_json({"ok": _all_well(findings), "findings": [asdict(f) for f in findings]})
    else:
        marks = {True: "✓", False: "✗", None: "–"}
        for finding in findings:
            typer.echo(f"{marks[finding.ok]} {finding.message}")
    raise typer.Exit(0 if _all_well(findings) else 1)


def _all_well(findings: list[Finding]) -> bool:
    return all(finding.ok is not False for finding in findings)


def check_database(settings: Settings) -> Finding:
    """Whether the database answers and has the newest schema."""
    database = Database(settings.resolved_database_url)
    try:
        with database.engine.connect() as connection:
            have = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return Finding("database", False, STAFF.say("check.database_down"))
    finally:
        database.dispose()
    want = head_revision()
    if have != want:
        return Finding(
            "database", False, STAFF.say("check.database_behind", have=have or "chưa có", want=want)
        )
    return Finding("database", True, STAFF.say("check.database_ok"))


async def _check_services(settings: Settings) -> list[Finding]:
    from bot.app import build  # Heavy: only for this command.

    parts = build(settings)
    try:
        findings = [await _check_rasa(parts), await _check_actions(settings)]
        for name, needs in _NEEDS.items():
            channel = parts.channels.get(name)
            if channel is None:
                findings.append(
                    Finding(name, None, STAFF.say("check.channel_off", channel=name, names=needs))
                )
            else:
                findings.append(await _check_channel(channel))
        return findings
    finally:
        for channel in parts.channels.values():
            await channel.close()
        await parts.engine.close()
        parts.database.dispose()


async def _check_rasa(parts: Parts) -> Finding:
    if await parts.engine.healthy():
        return Finding("rasa", True, STAFF.say("check.rasa_ok"))
    return Finding("rasa", False, STAFF.say("check.rasa_down", url=parts.settings.rasa_url))


async def _check_actions(settings: Settings) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=3.0) as client:
            response = await client.get(f"{settings.actions_url}/health")
    except httpx.HTTPError:
        response = None
    if response is not None and response.status_code == 200:
        return Finding("actions", True, STAFF.say("check.actions_ok"))
    return Finding("actions", False, STAFF.say("check.actions_down", url=settings.actions_url))


async def _check_channel(channel: Channel) -> Finding:
    health = await channel.check()
    if health.ok:
        facts = ", ".join(f"{key}: {value}" for key, value in health.facts.items())
        return Finding(channel.name, True, STAFF.say("check.channel_ok", channel=channel.name, facts=facts))
    problem = STAFF.get(f"problem.{health.problem}", health.problem)
    return Finding(channel.name, False, STAFF.say("check.channel_bad", channel=channel.name, problem=problem))

"""`nghedan up` and `nghedan migrate`: prepare what is missing, start everything, stop on Ctrl-C."""

from __future__ import annotations

import os
import signal
import time
from typing import Annotated

import typer

from bot import logs
from bot.cli.console import fail, load_settings, note
from bot.supervisor import Supervisor
from core.settings import Settings
from core.wording import STAFF
from storage.migrate import upgrade

_READY_WITHIN_S = 180.0


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("up", help="Chuẩn bị, khởi động mọi phần trên máy này; Ctrl-C để dừng.")(up)
    app.command("prepare", help="Chuẩn bị phần ứng dụng (lược đồ, đơn vị, mô hình), không huấn luyện Rasa.")(
        prepare_only
    )
    app.command("migrate", help="Cập nhật lược đồ cơ sở dữ liệu.")(migrate)


def migrate() -> None:
    """Bring the schema to the newest version."""
    upgrade(load_settings().resolved_database_url)


def prepare_only() -> None:
    """Prepare the application's part; for installations whose Rasa is another service."""
    from bot.prepare import PreparationFailed, prepare_app  # Heavy: only for this command.

    try:
        prepare_app(load_settings(), say=note)
    except PreparationFailed as error:
        fail("prepare_failed", str(error))


def up(
    prepare_only: Annotated[
        bool, typer.Option("--prepare-only", help="Chỉ chuẩn bị, không khởi động.")
    ] = False,
) -> None:
    """Prepare, start, watch, stop."""
    from bot.prepare import PreparationFailed, prepare  # Heavy: only for this command.

    settings = load_settings()
    logs.configure(settings.log_level)
    try:
        prepare(settings, say=note)
    except PreparationFailed as error:
        fail("prepare_failed", str(error))
    if prepare_only:
        return
    supervisor = Supervisor(settings, environment=os.environ)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.request_stop())
    supervisor.start()
    try:
        _wait_until_ready(settings, supervisor)
        supervisor.watch()
    finally:
        note(STAFF.say("up.stopping"))
        supervisor.stop()


def _wait_until_ready(settings: Settings, supervisor: Supervisor) -> None:
    base = f"http://{settings.http_host}:{settings.http_port}"
    note(STAFF.say("up.starting", base=base, logs=settings.data_dir / "logs"))
    started = time.monotonic()
    told = started
    supervisor.watch(
        until=lambda: supervisor.ready_now(every_s=1.0) or time.monotonic() - started > _READY_WITHIN_S
    )
    if supervisor.stopping:
        return
    if supervisor.ready():
        note(STAFF.say("up.ready", seconds=round(time.monotonic() - told), base=base))
        note(STAFF.say("up.channels"))
    else:
        note(STAFF.say("up.slow", logs=settings.data_dir / "logs"))

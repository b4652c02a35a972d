"""`nghedan rehearse`: the whole chain against the fake platforms, with synthetic citizens."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bot import logs
from bot.cli.console import fail, load_settings, note, print_json
from bot.rehearsal.concerns_file import read_concerns
from bot.rehearsal.fakes.world import Platform
from core.wording import STAFF

_FAULTS = ("none", "flaky", "chaos")


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("rehearse", help="Diễn tập toàn bộ quy trình với các nền tảng giả lập và người dân giả lập.")(
        run
    )


def run(
    concerns: Annotated[Path, typer.Option(help="Tệp JSONL: mỗi dòng có id và text.")],
    channels: Annotated[
        str, typer.Option(help="Các kênh, cách nhau dấu phẩy.")
    ] = "telegram,zalo_oa,zalo_bot",
    citizens: Annotated[int, typer.Option(min=1, help="Số người dân giả lập.")] = 30,
    seed: Annotated[int, typer.Option(help="Hạt giống ngẫu nhiên.")] = 1,
    database: Annotated[str, typer.Option(help="URL cơ sở dữ liệu; để trống là SQLite tạm.")] = "",
    faults: Annotated[str, typer.Option(help="none, flaky hoặc chaos.")] = "none",
    workers: Annotated[
        int, typer.Option(min=0, help="Số chương trình trả lời chạy riêng (cần PostgreSQL).")
    ] = 0,
    senders: Annotated[int, typer.Option(min=0, help="Số chương trình gửi chạy riêng (cần PostgreSQL).")] = 0,
    out: Annotated[Path | None, typer.Option(help="Thư mục kết quả.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Rehearse and print the figures."""
    from bot.rehearsal.run import Plan, rehearse  # Heavy: only for this command.

    settings = load_settings()
    logs.configure("WARNING")
    if faults not in _FAULTS:
        fail("bad_faults", STAFF.say("rehearse.bad_faults", known=", ".join(_FAULTS)))
    if (workers or senders) and not database.startswith("postgres"):
        fail("need_postgresql", STAFF.say("rehearse.need_postgresql"))
    try:
        chosen = [Platform(name.strip()) for name in channels.split(",") if name.strip()]
    except ValueError:
        fail("bad_channel", STAFF.say("rehearse.bad_channel", known=", ".join(Platform)))
    try:
        told, bad = read_concerns(concerns)
    except OSError as error:
        fail("no_file", STAFF.say("rehearse.no_file", path=concerns, why=error.strerror))
    for line in bad:
        note(STAFF.say("rehearse.bad_line", number=line.number, why=STAFF.say(f"rehearse.{line.why}")))
    folder = out or Path(tempfile.mkdtemp(prefix="nghedan-dien-tap-"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(told, chosen, citizens, seed, faults, database, folder, workers, senders)
    figures = rehearse(plan, settings=settings, say=note)
    figures["bad_lines"] = [line.number for line in bad]
    if as_json:
        print_json(figures)
    else:
        for key, value in figures.items():
            typer.echo(f"{key}: {value}")

"""`nghedan report …`: what can be published about the service."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from bot.cli.console import database, print_json
from core.broadcast.plan import handovers
from core.clock import utc_now

report_app = typer.Typer(no_args_is_help=True)


@report_app.callback()
def report() -> None:
    """Báo cáo về việc gửi tin."""


@report_app.command("delivery")
def delivery(
    days: Annotated[int, typer.Option(help="Số ngày gần nhất.", min=1)] = 30,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Phần tin được giao cho nền tảng trong 10 giây, theo ngày, kênh và loại tin."""
    with database() as opened, opened.read() as session:
        rows = handovers(session, since=utc_now() - timedelta(days=days))
    if as_json:
        print_json({"days": days, "rows": [asdict(row) for row in rows]})
        return
    for row in rows:
        typer.echo(f"{row.day}\t{row.channel}\t{row.kind}\t{row.sent}\t{row.within_10s:.1%}")

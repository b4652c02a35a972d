"""`nghedan report …`: what can be published about the service."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from bot.cli.console import database, load_settings, note, print_json
from core.broadcast import proof
from core.broadcast.plan import handovers
from core.clock import utc_now
from core.wording import STAFF

report_app = typer.Typer(no_args_is_help=True)


@report_app.callback()
def report() -> None:
    """Báo cáo về việc gửi tin."""


@report_app.command("delivery")
def delivery(
    days: Annotated[int, typer.Option(help="Số ngày gần nhất.", min=1)] = 30,
    export: Annotated[
        Path | None, typer.Option(help="Ghi kết quả từng tin vào tệp này, có chữ ký.", dir_okay=False)
    ] = None,
    announcement: Annotated[int, typer.Option(help="Chỉ tin của thông báo số này.")] = 0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Phần tin được giao cho nền tảng trong 10 giây, theo ngày, kênh và loại tin."""
    since = utc_now() - timedelta(days=days)
    with database() as opened, opened.read() as session:
        rows = handovers(session, since=since)
        exported = _export(session, export, announcement, since) if export else None
    if as_json:
        print_json({"days": days, "rows": [asdict(row) for row in rows], "exported": exported})
        return
    for row in rows:
        typer.echo(f"{row.day}\t{row.channel}\t{row.kind}\t{row.sent}\t{row.within_10s:.1%}")


def _export(session: Session, path: Path, announcement: int, since: datetime) -> int:
    """Write the sealed file; returns how many messages are in it."""
    settings = load_settings()
    only = announcement or None
    messages = proof.rows(session, announcement_id=only, since=None if only else since)
    scope = {"announcement": only} if only else {"since": since.isoformat()}
    count = -2  # head and seal
    with path.open("w", encoding="utf-8") as file:
        for line in proof.sealed(
            messages,
            key=proof.signing_key(settings.data_dir / "keys"),
            agency=settings.agency_name,
            scope=scope,
            now=utc_now(),
        ):
            file.write(line)
            count += 1
    note(STAFF.say("report.exported", n=count, path=path))
    return count


@report_app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="Tệp đã xuất.", exists=True, dir_okay=False)],
    key: Annotated[str, typer.Option(help="Khóa công khai phải đúng (base64).")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Kiểm tra tệp kết quả gửi: còn nguyên vẹn và đúng chữ ký không."""
    with file.open(encoding="utf-8") as lines:
        verdict = proof.verify(lines, public_key=key)
    if as_json:
        print_json(asdict(verdict))
    if verdict.ok:
        note(STAFF.say("report.whole", n=verdict.messages, owner=verdict.public_key))
        return
    note(STAFF.say("report.broken", line=verdict.line, problem=STAFF.say(f"report.{verdict.problem}")))
    raise typer.Exit(1)

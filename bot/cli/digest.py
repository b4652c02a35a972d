"""`nghedan agenda digest`: one page for the chair."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import database, fail, note, print_json
from core.clock import utc_now
from core.digest.build import build
from core.documents import DIGEST_FORMATS, export_digest
from core.wording import STAFF


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("digest")(digest)


def digest(
    session_id: Annotated[int, typer.Option("--session", help="Số của phiên.")],
    kind: Annotated[str, typer.Option("--format", help="docx hoặc html.")] = "docx",
    out: Annotated[Path | None, typer.Option(help="Tệp đích.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Một trang tóm tắt cho đồng chí chủ trì (sau khi lập chương trình)."""
    if kind not in DIGEST_FORMATS:
        fail("unknown_format", STAFF.say("digest.unknown_format", kind=kind, known=", ".join(DIGEST_FORMATS)))
    with database() as opened, opened.read() as session:
        page = build(session, session_id=session_id, now=utc_now())
    target = export_digest(page, kind, out or Path(f"tom-tat-phien-{session_id}.{kind}"))
    note(STAFF.say("digest.written", path=target))
    if as_json:
        print_json({"path": str(target), **asdict(page)})

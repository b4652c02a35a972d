"""`nghedan agenda build|export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import database, fail, load_settings, note, print_json
from core.agenda.build import load, save
from core.agenda.document import AgendaDocument
from core.clock import utc_now
from core.documents import FORMATS, export
from core.text.embedding import load_embedder
from core.topics import themes
from core.topics.store import regroup
from core.wording import STAFF

agenda_app = typer.Typer(no_args_is_help=True)


@agenda_app.command("build")
def build(
    session_id: Annotated[int, typer.Option("--session", help="Số của phiên.")],
    by: Annotated[str, typer.Option(help="Người thực hiện.")] = "cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Gộp ý kiến theo nội dung và lập chương trình (một bản có số)."""
    settings = load_settings()
    whitener = themes.whitening(settings.models_dir, load_embedder(settings.embedder))
    with database() as opened, opened.write() as session:
        regroup(session, session_id=session_id, placed_by=by, now=utc_now(), whitener=whitener, progress=_say)
        agenda = save(session, session_id=session_id, created_by=by, now=utc_now())
        document = AgendaDocument.load(agenda.body)
    facts = {
        "session": session_id,
        "version": agenda.version,
        "sha256": agenda.sha256,
        "topics": document.topic_count,
        "concerns": document.concern_count,
        "people": document.people,
        "not_listed": {n.reason: n.count for n in document.not_listed},
    }
    note(
        STAFF.say(
            "agenda.built",
            id=session_id,
            version=agenda.version,
            topics=document.topic_count,
            concerns=document.concern_count,
            people=document.people,
        )
    )
    if as_json:
        print_json(facts)


def _say(step: str, count: int) -> None:
    note(STAFF.say(f"topics.{step}", count=count))


@agenda_app.command("export")
def export_agenda(
    session_id: Annotated[int, typer.Option("--session", help="Số của phiên.")],
    kind: Annotated[str, typer.Option("--format", help="docx, xlsx, csv hoặc json.")] = "docx",
    out: Annotated[Path | None, typer.Option(help="Tệp đích.")] = None,
    version: Annotated[int | None, typer.Option(help="Bản số; để trống là bản mới nhất.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Xuất chương trình ra tệp."""
    if kind not in FORMATS:
        fail("unknown_format", STAFF.say("agenda.unknown_format", kind=kind, known=", ".join(FORMATS)))
    with database() as opened, opened.read() as session:
        agenda = load(session, session_id=session_id, version=version)
    target = out or Path(f"chuong-trinh-phien-{session_id}-ban-{agenda.version}.{kind}")
    export(AgendaDocument.load(agenda.body), kind, target)
    note(STAFF.say("agenda.exported", path=target))
    if as_json:
        print_json({"path": str(target), "version": agenda.version, "sha256": agenda.sha256})

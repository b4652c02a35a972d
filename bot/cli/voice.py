"""`nghedan voice list|type`: voice notes that wait for a person to write them down."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot.cli.console import database, fail, note, print_json
from core.clock import utc_now
from core.settings import Settings
from core.voice import transcripts
from core.wording import STAFF

voice_app = typer.Typer(no_args_is_help=True)
_MOST_LISTED = 200


@voice_app.command("list", help="Các tin thoại chờ cán bộ nghe và ghi lại.")
def waiting(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Each with its number and file; a recognised one that the citizen confirmed is not listed."""
    folder = Settings().attachments_dir
    with database() as opened, opened.read() as session:
        found = transcripts.waiting(session, for_staff=True, limit=_MOST_LISTED)
    if as_json:
        rows = [{"id": w.attachment_id, "file": str(folder / w.path), "code": w.concern_code} for w in found]
        print_json({"waiting": rows})
        return
    for item in found:
        typer.echo(f"{item.attachment_id}\t{item.concern_code or '-'}\t{folder / item.path}")


@voice_app.command("type", help="Ghi lại một tin thoại; nội dung đọc từ đầu vào chuẩn.")
def type_words(
    attachment: Annotated[int, typer.Argument(help="Số của tin thoại trong danh sách.")],
    by: Annotated[str, typer.Option(help="Mã cán bộ ghi.")] = "cli",
) -> None:
    """Words of a sent concern count at once; otherwise the citizen is asked whether they are right."""
    text = sys.stdin.read()  # Not an argument: shells keep a history.
    actor = f"staff:{by}"
    with database() as opened, opened.write() as session:
        code = transcripts.confirm_by_staff(session, attachment, text, actor=actor, now=utc_now())
        if code is None and not transcripts.propose(session, attachment, text, made_by=actor, now=utc_now()):
            fail("voice.not_waiting", STAFF.say("voice.not_waiting"))
    note(STAFF.say("voice.added", code=code) if code else STAFF.say("voice.asked"))

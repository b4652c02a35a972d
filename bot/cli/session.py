"""`nghedan session create|list|open|close`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bot.cli.console import database, load_settings, local_time, note, print_json
from core.clock import utc_now
from core.sessions import lifecycle
from core.wording import STAFF, day_and_time
from storage.models import DialogueSession

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="In một đối tượng JSON.")]


@app.command("create")
def create(
    title: Annotated[str, typer.Option(help="Tên phiên.")],
    held_at: Annotated[str, typer.Option(help="Giờ diễn ra, ví dụ 2026-12-05T07:30.")],
    collects_until: Annotated[str, typer.Option(help="Hạn nhận ý kiến.")],
    unit: Annotated[str, typer.Option(help="Mã đơn vị; để trống là cả tỉnh.")] = "",
    place: Annotated[str, typer.Option(help="Địa điểm.")] = "",
    chair: Annotated[str, typer.Option(help="Chủ trì.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tạo phiên đối thoại."""
    settings = load_settings()
    now = utc_now()
    with database() as opened, opened.write() as session:
        made = lifecycle.create(
            session,
            unit_code=unit or settings.province_code,
            title=title,
            held_at=local_time(held_at),
            collects_until=local_time(collects_until),
            place=place,
            chair=chair,
            now=now,
        )
    note(
        STAFF.say(
            "session.created",
            id=made.id,
            title=made.title,
            when=day_and_time(made.held_at),
            deadline=day_and_time(made.collects_until),
        )
    )
    days = (made.held_at - now).days
    if days < settings.notice_days:
        note(STAFF.say("session.short_notice", days=days, least=settings.notice_days))
    if as_json:
        print_json(_facts(made))


@app.command("list")
def list_sessions(
    unit: Annotated[str, typer.Option(help="Chỉ của đơn vị này.")] = "", as_json: AsJson = False
) -> None:
    """Liệt kê các phiên."""
    with database() as opened, opened.read() as session:
        found = lifecycle.listing(session, unit_code=unit or None)
    if as_json:
        print_json({"sessions": [_facts(item) for item in found]})
        return
    for item in found:
        typer.echo(f"{item.id}\t{item.state}\t{day_and_time(item.held_at)}\t{item.unit_code}\t{item.title}")
    if not found:
        note(STAFF.say("session.none"))


@app.command("open")
def open_session(session_id: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Mở nhận ý kiến."""
    with database() as opened, opened.write() as session:
        found, moved = lifecycle.open_for_collecting(session, session_id)
    note(STAFF.say("session.opened", id=found.id, moved=moved))
    if as_json:
        print_json({**_facts(found), "moved": moved})


@app.command("close")
def close_session(session_id: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Ngừng nhận ý kiến."""
    with database() as opened, opened.write() as session:
        found, count = lifecycle.close(session, session_id)
    note(STAFF.say("session.closed", id=found.id, concerns=count))
    if as_json:
        print_json({**_facts(found), "concerns": count})


def _facts(item: DialogueSession) -> dict[str, Any]:
    return {
        "id": item.id,
        "unit": item.unit_code,
        "title": item.title,
        "state": item.state,
        "held_at": item.held_at.isoformat(),
        "collects_until": item.collects_until.isoformat(),
        "place": item.place,
    }

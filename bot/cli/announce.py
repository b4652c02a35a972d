"""`nghedan announce`: a forecast by default, sent only with `--send`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.console import database, fail, note, print_json
from core.broadcast import announce as broadcast
from core.clock import utc_now
from core.sessions import lifecycle
from core.wording import STAFF


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("announce", help="Thông báo phiên đối thoại tới người đăng ký (xem trước, rồi --send).")(
        announce
    )


def announce(
    session_id: Annotated[int, typer.Option("--session", help="Số của phiên.")],
    text: Annotated[str, typer.Option(help="Nội dung; để trống dùng mẫu.")] = "",
    send: Annotated[bool, typer.Option("--send", help="Gửi thật; không có thì chỉ xem trước.")] = False,
    by: Annotated[str, typer.Option(help="Người thực hiện.")] = "cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Count first, then write one row per recipient."""
    with database() as opened:
        with opened.read() as session:
            found = lifecycle.get(session, session_id)
            words = text or broadcast.text_for(session, found)
            forecast = broadcast.forecast(session, unit_code=found.unit_code)
        note(_forecast_line(forecast))
        result: dict[str, object] = {
            "session": session_id,
            "recipients": forecast.total,
            "by_channel": dict(forecast.by_channel),
            "unreachable": forecast.unreachable,
            "text": broadcast.with_opt_out(words),
            "sent": False,
        }
        if send:
            try:
                with opened.write() as session:
                    made, rows = broadcast.start(
                        session,
                        unit_code=found.unit_code,
                        session_id=found.id,
                        text=words,
                        created_by=by,
                        now=utc_now(),
                    )
            except broadcast.AnnouncementError as error:
                fail(error.code, STAFF.say("announce.too_long"))
            result |= {"sent": True, "announcement": made.id, "rows": rows}
            note(STAFF.say("announce.sent", id=made.id, rows=rows))
        else:
            note(STAFF.say("announce.confirm_hint"))
    if as_json:
        print_json(result)


def _forecast_line(forecast: broadcast.Forecast) -> str:
    if not forecast.total and not forecast.unreachable:
        return STAFF.say("announce.nobody")
    by_channel = ", ".join(f"{name} {count}" for name, count in sorted(forecast.by_channel.items())) or "0"
    return STAFF.say(
        "announce.forecast", total=forecast.total, by_channel=by_channel, unreachable=forecast.unreachable
    )

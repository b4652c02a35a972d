"""`nghedan announce`: a forecast by default, sent only with `--send`; plan, pause, resume, cancel."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from bot.cli.console import database, fail, load_settings, note, print_json
from core.broadcast import announce as broadcast
from core.broadcast.announce import AnnouncementError
from core.broadcast.plan import Plan, make_plan
from core.clock import utc_now
from core.sessions import lifecycle
from core.wording import STAFF, day_and_time

announce_app = typer.Typer(invoke_without_command=True)

_Session = Annotated[int, typer.Option("--session", help="Số của phiên.")]
_Announcement = Annotated[int, typer.Option("--announcement", help="Số của thông báo.")]


@announce_app.callback()
def announce(
    context: typer.Context,
    session_id: _Session = 0,
    text: Annotated[str, typer.Option(help="Nội dung; để trống dùng mẫu.")] = "",
    send: Annotated[bool, typer.Option("--send", help="Gửi thật; không có thì chỉ xem trước.")] = False,
    by: Annotated[str, typer.Option(help="Người thực hiện.")] = "cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Thông báo phiên đối thoại tới người đăng ký (xem trước, rồi --send)."""
    if context.invoked_subcommand is not None:
        return
    if not session_id:
        fail("announce.no_session", STAFF.say("announce.no_session"))
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
            except AnnouncementError as error:
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


@announce_app.command("plan")
def plan(session_id: _Session, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Bao nhiêu người, bằng đường nào, tốn bao nhiêu, mất bao lâu, có kịp hạn báo trước không."""
    settings = load_settings()
    with database() as opened, opened.read() as session:
        found = lifecycle.get(session, session_id)
        made = make_plan(
            session, unit_code=found.unit_code, dialogue_session=found, settings=settings, now=utc_now()
        )
    _tell(made, settings.notice_days)
    if as_json:
        print_json({"session": session_id, **made.as_json()})


def _tell(made: Plan, days: int) -> None:
    for lane in made.lanes:
        note(
            STAFF.say(
                "announce.plan_lane",
                channel=lane.channel,
                route=STAFF.say(f"announce.route_{lane.route}"),
                recipients=lane.recipients,
                cost=lane.cost_vnd,
                minutes=math.ceil(lane.seconds / 60),
            )
        )
    note(
        STAFF.say(
            "announce.plan_total",
            now=made.reached_now,
            total=made.recipients,
            waiting=made.waiting_for_contact,
            unreachable=made.unreachable,
            cost=made.cost_vnd,
            minutes=math.ceil(made.seconds / 60),
        )
    )
    if made.latest_start is not None:
        key = "announce.plan_in_time" if made.in_time else "announce.plan_late"
        note(STAFF.say(key, days=days, latest=day_and_time(made.latest_start)))


@announce_app.command("pause")
def pause(announcement: _Announcement) -> None:
    """Tạm dừng: những tin chưa gửi đứng lại."""
    _steer(announcement, "paused")


@announce_app.command("resume")
def resume(announcement: _Announcement) -> None:
    """Gửi tiếp."""
    _steer(announcement, "running")


@announce_app.command("cancel")
def cancel(announcement: _Announcement) -> None:
    """Hủy những tin chưa gửi."""
    _steer(announcement, "cancelled")


def _steer(announcement: int, to: str) -> None:
    with database() as opened, opened.write() as session:
        try:
            rows = broadcast.steer(session, announcement, to)
        except AnnouncementError as error:
            fail(error.code, STAFF.say(f"announce.{error.code}"))
    note(STAFF.say(f"announce.{to}", rows=rows))

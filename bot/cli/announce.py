"""`nghedan announce`: a forecast by default, sent only with `--send`; plan, pause, resume, cancel."""

from __future__ import annotations

import math
from datetime import datetime
from functools import partial
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from bot.cli.console import database, fail, load_settings, local_time, note, print_json
from core.broadcast import announce as broadcast
from core.broadcast import schedule
from core.broadcast.announce import AnnouncementError
from core.broadcast.plan import Plan, make_plan, tariffs_of
from core.broadcast.rules import rules_of
from core.clock import utc_now
from core.sessions import lifecycle
from core.settings import Settings
from core.wording import STAFF, day_and_time
from storage.models import AnnouncementState, DialogueSession, Reach

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
    at: Annotated[str, typer.Option(help="Hẹn giờ gửi, như 2026-12-01T08:00.")] = "",
    reach: Annotated[
        Reach | None, typer.Option(help="Tin có phí: free, paid, template; để trống chọn cách nên dùng.")
    ] = None,
    max_cost: Annotated[
        int, typer.Option("--max-cost", help="Số tiền được duyệt, đồng; 0 là chỉ gửi miễn phí.", min=0)
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Thông báo phiên đối thoại tới người đăng ký (xem trước, rồi --send)."""
    if context.invoked_subcommand is not None:
        return
    if not session_id:
        fail("announce.no_session", STAFF.say("announce.no_session"))
    settings, now = load_settings(), utc_now()
    with database() as opened:
        with opened.read() as session:
            found = lifecycle.get(session, session_id)
            words = text or broadcast.text_for(session, found)
            forecast = broadcast.forecast(session, unit_code=found.unit_code)
            starts = local_time(at) if at else None
            made_plan = _affordable(
                session, found, settings, reach=reach, most=max_cost, now=now, due_at=starts
            )
        note(_forecast_line(forecast))
        _tell(made_plan, settings.notice_days)
        result: dict[str, object] = {
            "session": session_id,
            "recipients": forecast.total,
            "by_channel": dict(forecast.by_channel),
            "unreachable": forecast.unreachable,
            "text": broadcast.with_opt_out(words),
            "plan": made_plan.as_json(),
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
                        now=now,
                        due_at=starts,
                        reach=Reach(made_plan.reach),
                        plan=made_plan,
                        rules=rules_of(settings),
                        tariffs=tariffs_of(settings),
                    )
            except AnnouncementError as error:
                fail(error.code, STAFF.say("announce.too_long"))
            result |= {"sent": made.state == AnnouncementState.RUNNING, "announcement": made.id, "rows": rows}
            if made.state == AnnouncementState.SCHEDULED and starts:
                note(STAFF.say("announce.scheduled", id=made.id, when=day_and_time(starts)))
            else:
                note(STAFF.say("announce.sent", id=made.id, rows=rows))
        else:
            note(STAFF.say("announce.confirm_hint"))
    if as_json:
        print_json(result)


def _affordable(
    session: Session,
    found: DialogueSession,
    settings: Settings,
    *,
    reach: Reach | None,
    most: int,
    now: datetime,
    due_at: datetime | None,
) -> Plan:
    """The plan for the wanted reach, or the widest one within the money that was allowed."""
    plan = partial(
        make_plan,
        session,
        unit_code=found.unit_code,
        dialogue_session=found,
        settings=settings,
        now=now,
        due_at=due_at,
    )
    wanted = plan(reach=reach)
    if wanted.cost_vnd <= most:
        return wanted
    affordable = plan(reach=Reach([option.reach for option in wanted.options if option.cost_vnd <= most][-1]))
    note(
        STAFF.say(
            "announce.cheaper",
            reach=STAFF.say(f"announce.reach_{wanted.reach}"),
            cost=wanted.cost_vnd,
            used=STAFF.say(f"announce.reach_{affordable.reach}"),
        )
    )
    return affordable


def _forecast_line(forecast: broadcast.Forecast) -> str:
    if not forecast.total and not forecast.unreachable:
        return STAFF.say("announce.nobody")
    by_channel = ", ".join(f"{name} {count}" for name, count in sorted(forecast.by_channel.items())) or "0"
    return STAFF.say(
        "announce.forecast", total=forecast.total, by_channel=by_channel, unreachable=forecast.unreachable
    )


@announce_app.command("plan")
def plan(
    session_id: _Session,
    reach: Annotated[Reach | None, typer.Option(help="Tin có phí: free, paid, template.")] = None,
    at: Annotated[str, typer.Option(help="Giờ gửi, như 2026-12-01T08:00.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Bao nhiêu người, bằng đường nào, tốn bao nhiêu, mất bao lâu, có kịp hạn báo trước không."""
    settings = load_settings()
    with database() as opened, opened.read() as session:
        found = lifecycle.get(session, session_id)
        made = make_plan(
            session,
            unit_code=found.unit_code,
            dialogue_session=found,
            settings=settings,
            now=utc_now(),
            reach=reach,
            due_at=local_time(at) if at else None,
        )
    _tell(made, settings.notice_days)
    if as_json:
        print_json({"session": session_id, **made.as_json()})


@announce_app.command("remind")
def remind(
    session_id: _Session,
    before: Annotated[str, typer.Option(help="Trước phiên: 7d,3d,1d,2h.")] = ",".join(schedule.REMINDERS),
    by: Annotated[str, typer.Option(help="Người thực hiện.")] = "cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Hẹn tin nhắc trước phiên; chỉ đi bằng đường miễn phí."""
    rules = rules_of(load_settings())
    with database() as opened, opened.write() as session:
        found = lifecycle.get(session, session_id)
        try:
            made = schedule.remind(session, found, before=before.split(","), created_by=by, now=utc_now())
        except AnnouncementError as error:
            fail(error.code, STAFF.say(f"announce.{error.code}"))
        times = {one.id: schedule.starts_at(one, found, rules) for one in made}
    note(STAFF.say("announce.reminders", n=len(times)))
    for number, when in times.items():
        note(STAFF.say("announce.scheduled", id=number, when=day_and_time(when)))
    if as_json:
        starts = [{"announcement": number, "starts_at": when.isoformat()} for number, when in times.items()]
        print_json({"session": session_id, "reminders": starts})


def _tell(made: Plan, days: int) -> None:
    for option in made.options:
        mark = STAFF.say("announce.plan_recommended") if option.reach == made.recommended else ""
        note(
            STAFF.say(
                "announce.plan_option",
                reach=STAFF.say(f"announce.reach_{option.reach}"),
                now=option.reached_now,
                waiting=option.waiting_for_contact,
                cost=option.cost_vnd,
                mark=mark,
            )
        )
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
    if made.too_often:
        note(STAFF.say("announce.plan_too_often", n=made.too_often))
    if made.latest_start is not None:
        key = "announce.plan_in_time" if made.in_time else "announce.plan_late"
        note(STAFF.say(key, days=days, latest=day_and_time(made.latest_start)))


@announce_app.command("pause")
def pause(announcement: _Announcement) -> None:
    """Tạm dừng: những tin chưa gửi đứng lại."""
    _steer(announcement, "paused")


@announce_app.command("resume")
def resume(
    announcement: _Announcement,
    max_cost: Annotated[
        int, typer.Option("--max-cost", help="Tổng số tiền được duyệt mới, đồng.", min=-1)
    ] = -1,
) -> None:
    """Gửi tiếp."""
    _steer(announcement, "running", cost_limit_vnd=max_cost if max_cost >= 0 else None)


@announce_app.command("cancel")
def cancel(announcement: _Announcement) -> None:
    """Hủy những tin chưa gửi."""
    _steer(announcement, "cancelled")


def _steer(announcement: int, to: str, *, cost_limit_vnd: int | None = None) -> None:
    with database() as opened, opened.write() as session:
        try:
            rows = broadcast.steer(session, announcement, to, cost_limit_vnd=cost_limit_vnd)
        except AnnouncementError as error:
            fail(error.code, STAFF.say(f"announce.{error.code}"))
    note(STAFF.say(f"announce.{to}", rows=rows))

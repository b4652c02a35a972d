"""Announcements: composed with a preview and the planner's table, then followed, steered, and kept as proof."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, text_of
from console.instants import instant
from console.pages.staff import units_of
from console.words import say
from core.broadcast import announce, follow, schedule
from core.broadcast import proof as proof_file
from core.broadcast.announce import AnnouncementError
from core.broadcast.plan import Plan, make_plan, tariffs_of
from core.broadcast.rules import rules_of
from core.documents.safe_text import inert
from core.outbox.queue import TEXT_LIMIT
from core.people.roles import May
from core.wording import day_and_time
from storage.models import AnnouncementState, DialogueSession, OutboundState, Reach

router = APIRouter(prefix="/announcements")

_READER = needs(May.READ, whole_sessions=True)
_SENDER = needs(May.PUBLISH, whole_sessions=True)
_FIELDS = ("unit", "session", "text", "due_at", "reach")


@router.get("")
def listing(request: Request, desk: TheDesk, visitor: Visitor = _READER) -> Response:
    """The newest announcements with how far each is."""
    with desk.database.read() as session:
        rows = follow.listing(session, visitor.scope)
    return desk.page(request, "announcements.html", visitor, rows=rows)


@router.get("/new")
def new(
    request: Request,
    desk: TheDesk,
    session_id: Annotated[int | None, Query(alias="session", ge=1, le=2**31 - 1)] = None,
    visitor: Visitor = _SENDER,
) -> Response:
    """The form, with the standard words when it is for a session."""
    values = dict.fromkeys(_FIELDS, "")
    with desk.database.read() as session:
        found = _session(session, visitor, session_id)
        if found is not None:
            values |= {
                "unit": found.unit_code,
                "session": str(found.id),
                "text": announce.text_for(session, found),
            }
    return _form(request, desk, visitor, values)


def _session(session: Session, visitor: Visitor, session_id: int | None) -> DialogueSession | None:
    if session_id is None:
        return None
    found = session.scalar(
        select(DialogueSession).where(DialogueSession.id == session_id, visitor.scope.sessions())
    )
    if found is None:
        raise Refused(404)
    return found


def _form(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    values: dict[str, str],
    *,
    remind: Sequence[str] = (),
    problem: str = "",
    preview: bool = False,
) -> Response:
    with desk.database.read() as session:
        units = units_of(session, visitor.scope)
        sessions = session.scalars(
            select(DialogueSession)
            .where(visitor.scope.sessions())
            .order_by(DialogueSession.held_at.desc())
            .limit(30)
        ).all()
        unit = values["unit"] or visitor.scope.unit_code
        chosen = next((s for s in sessions if str(s.id) == values["session"]), None)
        plan = _plan(session, desk, values, unit, chosen) if preview else None
    return desk.page(
        request,
        "announcement_new.html",
        visitor,
        units=units,
        sessions=[(s.id, s.title) for s in sessions],
        values=values | {"reach": plan.reach if plan else values["reach"]},
        reaches=[(one.value, say(f"reach.{one.value}")) for one in Reach],
        reminders=[(key, say(f"reminder.{key}")) for key in schedule.REMINDERS],
        chosen=remind,
        plan=plan,
        shown=announce.with_opt_out(values["text"].strip()) if preview else "",
        most=TEXT_LIMIT,
        problem=problem,
        status=422 if problem else 200,
    )


def _plan(
    session: Session, desk: Desk, values: dict[str, str], unit: str, chosen: DialogueSession | None
) -> Plan:
    return make_plan(
        session,
        unit_code=unit,
        dialogue_session=chosen,
        settings=desk.settings,
        now=desk.now(),
        reach=Reach(values["reach"]) if values["reach"] in list(Reach) else None,
        due_at=instant(values["due_at"]),
    )


@router.post("")
def send(request: Request, desk: TheDesk, form: Form, visitor: Visitor = _SENDER) -> Response:
    """Show what sending would do, or send: only what was previewed unchanged is sent."""
    values = {name: text_of(form, name, most=TEXT_LIMIT + 1_000) for name in _FIELDS}
    with desk.database.read() as session:
        if values["unit"] not in {code for code, _ in units_of(session, visitor.scope)}:
            raise Refused(403)
        number = (
            int(values["session"]) if values["session"].isdigit() and len(values["session"]) < 10 else None
        )
        found = _session(session, visitor, number)
        plan = _plan(session, desk, values, values["unit"], found)
    remind = [name for name in schedule.REMINDERS if name in form.getlist("remind")]
    problem = _problem(desk, values)
    if problem or not _confirmed(form, values, plan):
        return _form(request, desk, visitor, values, remind=remind, problem=problem, preview=not problem)
    now = desk.now()
    with desk.database.write() as session:
        made, rows = announce.start(
            session,
            unit_code=values["unit"],
            session_id=number,
            text=values["text"],
            created_by=visitor.scope.actor,
            now=now,
            due_at=instant(values["due_at"]),
            reach=Reach(plan.reach),
            plan=plan,
            rules=rules_of(desk.settings),
            tariffs=tariffs_of(desk.settings),
        )
        if found is not None:
            schedule.remind(session, found, before=remind, created_by=visitor.scope.actor, now=now)
    if made.state == AnnouncementState.SCHEDULED:
        return go(f"/announcements/{made.id}", done="announcement_scheduled")
    return go(f"/announcements/{made.id}", done="announced", n=rows)


def _confirmed(form: FormData, values: dict[str, str], plan: Plan) -> bool:
    """What is sent is what was shown: the words, and no more money than was shown."""
    shown = text_of(form, "seen_cost", most=12)
    return (
        text_of(form, "what", most=10) == "send"
        and text_of(form, "seen", most=5_000) == values["text"]
        and plan.cost_vnd <= (int(shown) if shown.isascii() and shown.isdigit() else 0)
    )


def _problem(desk: Desk, values: dict[str, str]) -> str:
    if not values["text"].strip():
        return say("judge.no_words")
    if len(announce.with_opt_out(values["text"].strip())) > TEXT_LIMIT:
        return say("announce.too_long", most=TEXT_LIMIT)
    at = instant(values["due_at"])
    if values["due_at"] and (at is None or at < desk.now()):
        return say("announce.bad_time")
    return ""


@router.get("/{announcement_id}")
def one(
    request: Request,
    desk: TheDesk,
    announcement_id: RowId,
    state: Annotated[str, Query(max_length=30)] = "",
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    visitor: Visitor = _READER,
) -> Response:
    """How far it is, and what became of each message."""
    wanted = state if state in list(OutboundState) else ""
    with desk.database.read() as session:
        found = _found(session, visitor, announcement_id)
        rows = follow.recipients(session, announcement_id, state=wanted, after=after, limit=follow.PAGE + 1)
    return desk.page(
        request,
        "announcement.html",
        visitor,
        found=found,
        rows=rows[: follow.PAGE],
        after=rows[follow.PAGE - 1].id if len(rows) > follow.PAGE else None,
        state=wanted,
        first=after == 0,
    )


def _found(session: Session, visitor: Visitor, announcement_id: int) -> follow.Listed:
    found = follow.one(session, visitor.scope, announcement_id)
    if found is None:
        raise Refused(404)
    return found


@router.get("/{announcement_id}/progress")
def progress(desk: TheDesk, announcement_id: RowId, visitor: Visitor = _READER) -> Response:
    """For the page that follows it: numbers only."""
    with desk.database.read() as session:
        found = _found(session, visitor, announcement_id)
    return JSONResponse(
        {"done": found.progress.done, "total": found.progress.total, "state": found.announcement.state}
    )


@router.get("/{announcement_id}/proof")
def proof(desk: TheDesk, announcement_id: RowId, visitor: Visitor = _READER) -> Response:
    """Every recipient with times, as a table for the file of the session."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = ("number", "channel", "state", "sent", "delivered", "seen", "failure")
    writer.writerow([say(f"proof.{column}") for column in columns])
    with desk.database.read() as session:
        _found(session, visitor, announcement_id)
        for row in follow.every_recipient(session, announcement_id):
            times = (day_and_time(at) if at else "" for at in (row.sent_at, row.delivered_at, row.seen_at))
            cells = (say(f"channel.{row.channel}"), say(f"outbound.{row.state}"), *times, row.failure or "")
            writer.writerow([row.contact_id, *(inert(cell) for cell in cells)])
    return Response(
        text.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="thong-bao-{announcement_id}.csv"'},
    )


@router.get("/{announcement_id}/sealed")
def sealed(desk: TheDesk, announcement_id: RowId, visitor: Visitor = _READER) -> Response:
    """The same with platform ids, signed: `nghedan report verify` tells whether somebody changed it."""
    with desk.database.read() as session:
        _found(session, visitor, announcement_id)
        lines = proof_file.sealed(
            proof_file.rows(session, announcement_id=announcement_id),
            key=proof_file.signing_key(desk.settings.data_dir / "keys"),
            agency=desk.settings.agency_name,
            scope={"announcement": announcement_id},
            now=desk.now(),
        )
        content = "".join(lines)
    return Response(
        content,
        media_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="thong-bao-{announcement_id}.jsonl"'},
    )


@router.post("/{announcement_id}/{to}")
def steer(
    request: Request, desk: TheDesk, announcement_id: RowId, to: str, form: Form, visitor: Visitor = _SENDER
) -> Response:
    """Pause, go on (with more money where that was used up), cancel."""
    if to not in ("paused", "running", "cancelled"):
        raise Refused(404)
    try:
        with desk.database.write() as session:
            found = _found(session, visitor, announcement_id).announcement
            more = text_of(form, "limit", most=10)
            limit = found.cost_limit_vnd + int(more) if more.isascii() and more.isdigit() else None
            rows = announce.steer(session, announcement_id, to, cost_limit_vnd=limit)
    except AnnouncementError as error:
        raise Refused(409) from error
    return go(f"/announcements/{announcement_id}", done=f"announcement_{to}", n=rows)

"""Dialogue sessions: the year's plan, what is due next, and the steps from planning to the end of collecting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, text_of
from console.instants import instant
from console.pages.staff import units_of
from console.words import say
from core.people.roles import May
from core.sessions import lifecycle
from core.sessions.clock import next_due
from core.sessions.lifecycle import SessionError
from core.wording import STAFF
from core.wording.dates import local
from storage.models import Concern, DialogueSession, Unit

router = APIRouter(prefix="/sessions")
_MOST_SHOWN = 500
_FIELDS = ("title", "unit", "held_at", "collects_until", "place", "chair")


@router.get("")
def listing(
    request: Request, desk: TheDesk, visitor: Visitor = needs(May.READ, whole_sessions=True)
) -> Response:
    """Sessions of the unit by year, newest first."""
    with desk.database.read() as session:
        rows = session.execute(
            select(DialogueSession, Unit.name)
            .join(Unit, Unit.code == DialogueSession.unit_code)
            .where(visitor.scope.sessions())
            .order_by(DialogueSession.held_at.desc())
            .limit(_MOST_SHOWN)
        ).all()
        counts = _counts(session, visitor, [row[0].id for row in rows])
    years: dict[int, list[dict[str, Any]]] = {}
    for found, unit in rows:
        entry = {"row": found, "unit": unit, "due": _due(desk, found), "concerns": counts.get(found.id, 0)}
        years.setdefault(local(found.held_at).year, []).append(entry)
    return desk.page(request, "sessions.html", visitor, years=years)


def _counts(session: Session, visitor: Visitor, ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(Concern.session_id, func.count())
        .where(Concern.session_id.in_(ids), visitor.scope.concerns())
        .group_by(Concern.session_id)
    )
    return {session_id: count for session_id, count in rows if session_id is not None}


def _due(desk: Desk, found: DialogueSession) -> Any:
    settings = desk.settings
    return next_due(
        found, notice_days=settings.notice_days, publish_days=settings.publish_days, now=desk.now()
    )


@router.get("/new")
def new(request: Request, desk: TheDesk, visitor: Visitor = needs(May.PLAN, whole_sessions=True)) -> Response:
    """The form of a new session."""
    return _form(request, desk, visitor, values=dict.fromkeys(_FIELDS, ""))


def _form(
    request: Request, desk: Desk, visitor: Visitor, *, values: dict[str, str], problem: str = ""
) -> Response:
    with desk.database.read() as session:
        units = units_of(session, visitor.scope)
    return desk.page(
        request,
        "session_new.html",
        visitor,
        units=units,
        values=values,
        problem=problem,
        notice_days=desk.settings.notice_days,
        status=422 if problem else 200,
    )


@router.post("")
def create(
    request: Request, desk: TheDesk, form: Form, visitor: Visitor = needs(May.PLAN, whole_sessions=True)
) -> Response:
    """Plan a session; what was typed stays when something is wrong."""
    values = {name: text_of(form, name, most=300) for name in _FIELDS}
    held_at, collects_until = instant(values["held_at"]), instant(values["collects_until"])
    if held_at is None or collects_until is None:
        return _form(request, desk, visitor, values=values, problem=say("sessions.bad_time"))
    try:
        with desk.database.write() as session:
            if values["unit"] not in {code for code, _ in units_of(session, visitor.scope)}:
                raise Refused(403)
            made = lifecycle.create(
                session,
                unit_code=values["unit"],
                title=values["title"],
                held_at=held_at,
                collects_until=collects_until,
                place=values["place"],
                chair=values["chair"],
                now=desk.now(),
            )
    except SessionError as error:
        problem = STAFF.say(error.code, **error.values)
        return _form(request, desk, visitor, values=values, problem=problem)
    return go(f"/sessions/{made.id}", done="session_created")


@router.get("/{session_id}")
def one(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    visitor: Visitor = needs(May.READ, whole_sessions=True),
) -> Response:
    """One session with its facts and its next step."""
    return _one(request, desk, visitor, session_id)


def _one(request: Request, desk: Desk, visitor: Visitor, session_id: int, *, problem: str = "") -> Response:
    with desk.database.read() as session:
        found = visible_session(session, visitor, session_id)
        unit = session.get_one(Unit, found.unit_code).name
        states = session.execute(
            select(Concern.state, func.count())
            .where(Concern.session_id == found.id, visitor.scope.concerns())
            .group_by(Concern.state)
            .order_by(Concern.state)
        ).all()
    return desk.page(
        request,
        "session.html",
        visitor,
        found=found,
        unit=unit,
        states=states,
        due=_due(desk, found),
        problem=problem,
        status=409 if problem else 200,
    )


def visible_session(session: Session, visitor: Visitor, session_id: int) -> DialogueSession:
    """The session, if it is there for this member of staff; else `Refused` with 404."""
    found = session.scalar(
        select(DialogueSession).where(DialogueSession.id == session_id, visitor.scope.sessions())
    )
    if found is None:
        raise Refused(404)
    return found


@router.post("/{session_id}/open")
def open_collecting(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    _form: Form,
    visitor: Visitor = needs(May.PLAN, whole_sessions=True),
) -> Response:
    """Start collecting, or collect again after a closing by mistake."""
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            _, moved = lifecycle.open_for_collecting(session, session_id)
    except SessionError:
        return _one(request, desk, visitor, session_id, problem=say("sessions.wrong_state"))
    return go(f"/sessions/{session_id}", done="session_opened", n=moved)


@router.post("/{session_id}/close")
def close_collecting(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    _form: Form,
    visitor: Visitor = needs(May.PLAN, whole_sessions=True),
) -> Response:
    """End the collecting."""
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            _, count = lifecycle.close(session, session_id)
    except SessionError:
        return _one(request, desk, visitor, session_id, problem=say("sessions.wrong_state"))
    return go(f"/sessions/{session_id}", done="session_closed", n=count)

"""Figures with charts and the same numbers as tables."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from console.access import TheDesk, needs
from console.charts import bars
from console.desk import Refused, Visitor
from console.words import say
from core.fields.catalogue import field_label
from core.figures.count import figures
from core.people.roles import May
from storage.models import DialogueSession

router = APIRouter(prefix="/dashboard")


@router.get("")
def view(
    request: Request,
    desk: TheDesk,
    session_id: Annotated[int | None, Query(alias="session", ge=1, le=2**31 - 1)] = None,
    visitor: Visitor = needs(May.READ, whole_sessions=True),
) -> Response:
    """Of one session, or of everything in the unit."""
    with desk.database.read() as session:
        sessions = session.execute(
            select(DialogueSession.id, DialogueSession.title)
            .where(visitor.scope.sessions())
            .order_by(DialogueSession.held_at.desc())
            .limit(50)
        ).all()
        if session_id is not None and session_id not in {row.id for row in sessions}:
            raise Refused(404)
        found = figures(session, visitor.scope, session_id=session_id, now=desk.now())
    states = [(say(f"state.{state}"), count) for state, count in found.states]
    weeks = [(f"{week:%d/%m/%Y}", count) for week, count in found.weeks]
    verdicts = [(say(f"verdict.{name}"), count) for name, count in found.verdicts]
    fields = [(field_label(s.name) or say("inbox.no_field"), s) for s in found.fields]
    return desk.page(
        request,
        "dashboard.html",
        visitor,
        found=found,
        sessions=[(row.id, row.title) for row in sessions],
        chosen=session_id or "",
        units_named=[(share.name, share) for share in found.units],
        fields_named=fields,
        states_named=states,
        weeks_named=weeks,
        verdicts_named=verdicts,
        charts={
            "units": bars([(s.name, s.asked) for s in found.units]),
            "fields": bars([(label, s.asked) for label, s in fields]),
            "states": bars(states),
            "weeks": bars(weeks),
            "verdicts": bars(verdicts),
        },
    )

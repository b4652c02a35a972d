"""The first page: what is waiting for this person."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from console.access import Someone, TheDesk
from core.inbox import find
from core.outbox import alarms
from core.people.roles import May
from core.sessions.clock import next_due
from storage.models import ConcernState, DialogueSession, SessionState

router = APIRouter()

_SHOWN = 5


@router.get("/")
def home(request: Request, desk: TheDesk, visitor: Someone) -> Response:
    """Counts that lead to their lists, and the next duties of the sessions."""
    with desk.database.read() as session:
        counts = find.counts(session, visitor.scope, session_id=None)
        trouble = alarms.open_alarms(session) if visitor.may(May.PUBLISH) else []
        sessions = session.scalars(
            select(DialogueSession)
            .where(visitor.scope.sessions(), DialogueSession.state != SessionState.PUBLISHED)
            .order_by(DialogueSession.held_at)
            .limit(_SHOWN)
        ).all()
    settings = desk.settings
    dues = [
        (
            found,
            next_due(
                found, notice_days=settings.notice_days, publish_days=settings.publish_days, now=desk.now()
            ),
        )
        for found in sessions
    ]
    waiting = [
        (key, f"/concerns?state={state}&order={order}", counts.get(state, 0))
        for key, state, order in (
            ("concerns", ConcernState.RECEIVED, find.Order.DOUBTFUL),
            ("detail", ConcernState.NEEDS_DETAIL, find.Order.OLDEST),
            ("quarantined", ConcernState.QUARANTINED, find.Order.OLDEST),
        )
        if counts.get(state)
    ]
    return desk.page(request, "home.html", visitor, waiting=waiting, dues=dues, alarms=trouble)

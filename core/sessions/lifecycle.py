"""Plan, open and close a dialogue session; each step checks the one before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.orm import Session

from core.people import units
from storage.models import Concern, ConcernState, DialogueSession, SessionState, Unit

_NAME_LIMIT = 200


class SessionError(ValueError):
    """A step that the session's state or dates forbid; `code` is a key of the staff catalogue."""

    def __init__(self, code: str, /, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def create(
    session: Session,
    *,
    unit_code: str,
    title: str,
    held_at: datetime,
    collects_until: datetime,
    place: str = "",
    chair: str = "",
    now: datetime,
) -> DialogueSession:
    """Plan a session. Raises `SessionError` (unknown unit, wrong dates, a name of the wrong length)."""
    title = title.strip()
    if not title or max(len(title), len(place), len(chair)) > _NAME_LIMIT:
        raise SessionError("error.title_length", most=_NAME_LIMIT)
    if session.get(Unit, unit_code) is None:
        raise SessionError("error.unknown_unit", code=unit_code)
    if collects_until > held_at:
        raise SessionError("error.deadline_after")
    planned = DialogueSession(
        unit_code=unit_code,
        title=title,
        chair=chair,
        place=place,
        held_at=held_at,
        collects_until=collects_until,
        state=SessionState.PLANNED,
        created_at=now,
    )
    session.add(planned)
    session.flush()
    return planned


def get(session: Session, session_id: int) -> DialogueSession:
    """The session, or `SessionError`."""
    found = session.get(DialogueSession, session_id)
    if found is None:
        raise SessionError("error.unknown_session", id=session_id)
    return found


def open_for_collecting(session: Session, session_id: int) -> tuple[DialogueSession, int]:
    """Start collecting; concerns of its place that waited for a session come along. Returns how many."""
    found = get(session, session_id)
    if found.state not in (SessionState.PLANNED, SessionState.CLOSED):
        raise SessionError("error.wrong_state", id=session_id, state=found.state)
    found.state = SessionState.COLLECTING
    result = session.execute(
        update(Concern)
        .where(
            Concern.session_id.is_(None),
            Concern.unit_code.in_(units.with_children(session, found.unit_code)),
            Concern.state.in_((ConcernState.DRAFT, ConcernState.RECEIVED, ConcernState.NEEDS_DETAIL)),
        )
        .values(session_id=found.id)
    )
    assert isinstance(result, CursorResult)
    return found, result.rowcount


def close(session: Session, session_id: int) -> tuple[DialogueSession, int]:
    """End the collection; returns how many concerns came in. Drafts wait for the next."""
    found = get(session, session_id)
    if found.state != SessionState.COLLECTING:
        raise SessionError("error.wrong_state", id=session_id, state=found.state)
    found.state = SessionState.CLOSED
    session.execute(
        update(Concern)
        .where(Concern.session_id == found.id, Concern.state == ConcernState.DRAFT)
        .values(session_id=None)
    )
    count = session.scalar(select(func.count()).where(Concern.session_id == found.id))
    return found, count or 0


def upcoming(session: Session, *, unit_code: str, now: datetime, limit: int = 5) -> Sequence[DialogueSession]:
    """Sessions that a person of this unit can look forward to, soonest first; the province's included."""
    parent = select(Unit.parent_code).where(Unit.code == unit_code).scalar_subquery()
    return session.scalars(
        select(DialogueSession)
        .where(
            or_(DialogueSession.unit_code == unit_code, DialogueSession.unit_code == parent),
            DialogueSession.held_at > now,
            DialogueSession.state.in_((SessionState.PLANNED, SessionState.COLLECTING, SessionState.CLOSED)),
        )
        .order_by(DialogueSession.held_at)
        .limit(limit)
    ).all()


def collecting_for(session: Session, *, unit_code: str, now: datetime) -> DialogueSession | None:
    """The session that a concern of this unit goes to now: the commune's own first, then the province's."""
    candidates = [
        s
        for s in upcoming(session, unit_code=unit_code, now=now, limit=20)
        if s.state == SessionState.COLLECTING and s.collects_until > now
    ]
    own = [s for s in candidates if s.unit_code == unit_code]
    return next(iter(own or candidates), None)


def listing(session: Session, *, unit_code: str | None = None) -> Sequence[DialogueSession]:
    """All sessions, newest first, of one unit or of all."""
    query = select(DialogueSession).order_by(DialogueSession.held_at.desc())
    if unit_code is not None:
        query = query.where(DialogueSession.unit_code == unit_code)
    return session.scalars(query).all()

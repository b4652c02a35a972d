"""How announcements went: progress of many, and who of one got it; people are numbers here, never names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.people.roles import Scope
from storage.models import Announcement, DialogueSession, Outbound, OutboundState, Unit

PAGE = 100
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows of one announcement by state; `done` will not be touched again."""

    by_state: dict[str, int]

    @property
    def total(self) -> int:
        """All recipients."""
        return sum(self.by_state.values())

    @property
    def done(self) -> int:
        """Recipients whose row is final."""
        return sum(n for state, n in self.by_state.items() if OutboundState(state).final)

    @property
    def sent(self) -> int:
        """Recipients whose platform took the message."""
        return self.by_state.get(OutboundState.SENT, 0)


@dataclass(frozen=True, slots=True)
class Listed:
    """One announcement of the list."""

    announcement: Announcement
    unit: str
    title: str | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class Recipient:
    """What became of one message."""

    id: int
    contact_id: int
    channel: str
    state: str
    failure: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None


def listing(session: Session, scope: Scope, *, limit: int = 50) -> list[Listed]:
    """The newest announcements of the unit and below; two queries."""
    rows = session.execute(
        select(Announcement, Unit.name, DialogueSession.title)
        .select_from(Announcement)
        .join(Unit, Unit.code == Announcement.unit_code)
        .outerjoin(DialogueSession, DialogueSession.id == Announcement.session_id)
        .where(Announcement.unit_code.in_(scope.units()))
        .order_by(Announcement.id.desc())
        .limit(limit)
    ).all()
    progress = _progress(session, [row[0].id for row in rows])
    return [Listed(row[0], row[1], row[2], progress[row[0].id]) for row in rows]


def one(session: Session, scope: Scope, announcement_id: int) -> Listed | None:
    """One announcement, if it belongs to the unit or below; two queries."""
    row = session.execute(
        select(Announcement, Unit.name, DialogueSession.title)
        .select_from(Announcement)
        .join(Unit, Unit.code == Announcement.unit_code)
        .outerjoin(DialogueSession, DialogueSession.id == Announcement.session_id)
        .where(Announcement.id == announcement_id, Announcement.unit_code.in_(scope.units()))
    ).one_or_none()
    if row is None:
        return None
    return Listed(row[0], row[1], row[2], _progress(session, [announcement_id])[announcement_id])


def _progress(session: Session, ids: Sequence[int]) -> dict[int, Progress]:
    counted: dict[int, dict[str, int]] = defaultdict(dict)
    for announcement_id, state, count in session.execute(
        select(Outbound.announcement_id, Outbound.state, func.count())
        .where(Outbound.announcement_id.in_(ids))
        .group_by(Outbound.announcement_id, Outbound.state)
    ):
        counted[announcement_id or 0][state] = count
    return {announcement_id: Progress(counted[announcement_id]) for announcement_id in ids}


def recipients(
    session: Session, announcement_id: int, *, state: str = "", after: int = 0, limit: int = PAGE
) -> list[Recipient]:
    """Recipients in the order of their rows, of one state or of all; one query."""
    query = select(
        Outbound.id,
        Outbound.contact_id,
        Outbound.channel,
        Outbound.state,
        Outbound.failure,
        Outbound.sent_at,
        Outbound.delivered_at,
        Outbound.seen_at,
    ).where(Outbound.announcement_id == announcement_id, Outbound.id > after)
    if state:
        query = query.where(Outbound.state == state)
    return [Recipient(*row) for row in session.execute(query.order_by(Outbound.id).limit(limit))]


def every_recipient(session: Session, announcement_id: int) -> Iterator[Recipient]:
    """All recipients, read in batches."""
    after = 0
    while batch := recipients(session, announcement_id, after=after, limit=_BATCH):
        yield from batch
        after = batch[-1].id

"""Say beforehand whom an announcement reaches, then write one outbound row per recipient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CursorResult,
    Select,
    String,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.outbox.queue import TEXT_LIMIT
from core.people import units
from core.wording import CITIZEN, day_and_time
from storage.base import JSONValue, UTCDateTime
from storage.models import (
    PRIORITY,
    Announcement,
    Citizen,
    Contact,
    DialogueSession,
    Outbound,
    OutboundKind,
    OutboundState,
    Unit,
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whom an announcement would reach now: counts by channel, and those who cannot be reached."""

    by_channel: Mapping[str, int]
    unreachable: int

    @property
    def total(self) -> int:
        """Recipients who get a row."""
        return sum(self.by_channel.values())


class AnnouncementError(ValueError):
    """The text cannot be announced; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def text_for(session: Session, dialogue_session: DialogueSession) -> str:
    """The standard announcement of a session, with the line that says how to stop."""
    unit = session.get_one(Unit, dialogue_session.unit_code)
    return CITIZEN.say(
        "announcement.session",
        unit=unit.name,
        title=dialogue_session.title,
        when=day_and_time(dialogue_session.held_at),
        place=dialogue_session.place or CITIZEN.say("sessions.place_unset"),
        deadline=day_and_time(dialogue_session.collects_until),
    )


def with_opt_out(text: str) -> str:
    """Every bulk message says how to stop; a text that does so already is left alone."""
    line = CITIZEN.say("announcement.opt_out")
    return text if "NGỪNG" in text else f"{text}\n{line}"


def forecast(session: Session, *, unit_code: str) -> Forecast:
    """Count recipients without sending anything; one query."""
    audience = audience_of(session, unit_code).subquery()
    rows = session.execute(
        select(audience.c.channel, audience.c.reachable, func.count()).group_by(
            audience.c.channel, audience.c.reachable
        )
    ).all()
    return Forecast(
        by_channel={channel: count for channel, reachable, count in rows if reachable},
        unreachable=sum(count for _, reachable, count in rows if not reachable),
    )


def start(
    session: Session,
    *,
    unit_code: str,
    session_id: int | None,
    text: str,
    created_by: str,
    now: datetime,
    due_at: datetime | None = None,
) -> tuple[Announcement, int]:
    """Write the announcement and its rows in one statement; returns both. The caller commits.

    Nothing goes out before `due_at`.

    Unique on (announcement, contact): starting twice by mistake makes a second announcement, not a
    second row of this one. Raises `AnnouncementError` for a text that a platform would not take.
    """
    text = with_opt_out(text.strip())
    if len(text) > TEXT_LIMIT:
        raise AnnouncementError("too_long")
    announcement = Announcement(
        unit_code=unit_code,
        session_id=session_id,
        text=text,
        state="running",
        created_at=now,
        created_by=created_by,
    )
    session.add(announcement)
    session.flush()
    return announcement, _write_rows(session, announcement, now=now, due_at=due_at or now)


def _write_rows(session: Session, announcement: Announcement, *, now: datetime, due_at: datetime) -> int:
    audience = audience_of(session, announcement.unit_code).subquery()
    dedupe_key = literal(f"announce:{announcement.id}:") + cast(audience.c.id, String)
    state = case(
        (audience.c.reachable, OutboundState.QUEUED.value), else_=OutboundState.PERMANENT_FAILURE.value
    )
    values: dict[str, Any] = {
        "contact_id": audience.c.id,
        "channel": audience.c.channel,
        "account_id": audience.c.account_id,
        "kind": literal(OutboundKind.ANNOUNCEMENT.value),
        "dedupe_key": dedupe_key,
        "text": literal(announcement.text),
        "choices": literal([], JSONValue),
        "priority": literal(PRIORITY[OutboundKind.ANNOUNCEMENT]),
        "state": state,
        "attempts": literal(0),
        "due_at": literal(due_at, UTCDateTime()),
        "created_at": literal(now, UTCDateTime()),
        "announcement_id": literal(announcement.id),
    }
    source = select(*[value.label(name) for name, value in values.items()])
    session.execute(insert(Outbound).from_select(list(values), source))
    # PostgreSQL's driver does not tell how many rows an INSERT … SELECT of the ORM wrote.
    written = session.scalar(select(func.count()).where(Outbound.announcement_id == announcement.id))
    return written or 0


def audience_of(session: Session, unit_code: str) -> Select[int, str, str, bool]:
    """Contacts (id, channel, account_id, reachable) of subscribers of the unit and of every unit below it."""
    return (
        select(Contact.id, Contact.channel, Contact.account_id, Contact.reachable)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(
            Citizen.wants_announcements.is_(True),
            Citizen.erased_at.is_(None),
            Citizen.unit_code.in_(units.with_children(session, unit_code)),
        )
    )


_MOVES = {
    "paused": ((OutboundState.QUEUED, OutboundState.TEMPORARY_FAILURE), OutboundState.PAUSED),
    "running": ((OutboundState.PAUSED,), OutboundState.QUEUED),
    "cancelled": (
        (
            OutboundState.QUEUED,
            OutboundState.TEMPORARY_FAILURE,
            OutboundState.PAUSED,
            OutboundState.WAITING_FOR_CONTACT,
        ),
        OutboundState.CANCELLED,
    ),
}
_ALLOWED = {"running": ("paused", "cancelled"), "paused": ("running", "cancelled"), "cancelled": ()}


def steer(session: Session, announcement_id: int, to: str) -> int:
    """Pause (`paused`), go on (`running`) or cancel (`cancelled`); returns how many rows changed.

    One statement: what is not in the air is stopped when the transaction commits. Raises `AnnouncementError` with
    `announcement_unknown` or `announcement_state`.
    """
    announcement = session.get(Announcement, announcement_id)
    if announcement is None:
        raise AnnouncementError("announcement_unknown")
    if to not in _ALLOWED[announcement.state]:
        raise AnnouncementError("announcement_state")
    announcement.state = to
    origins, target = _MOVES[to]
    changed = session.execute(
        update(Outbound)
        .where(Outbound.announcement_id == announcement_id, Outbound.state.in_(origins))
        .values(state=target)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    return changed.rowcount


def outcome(session: Session, announcement_id: int) -> dict[str, int]:
    """How many rows of an announcement are in each state; one query."""
    rows = session.execute(
        select(Outbound.state, func.count())
        .where(Outbound.announcement_id == announcement_id)
        .group_by(Outbound.state)
    )
    return dict(rows.tuples().all())

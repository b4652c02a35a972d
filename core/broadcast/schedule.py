"""Announcements that start later: at a time, or before their dialogue session wherever that moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.broadcast.announce import AnnouncementError, write_rows
from core.broadcast.rules import Rules
from core.outbox.tariff import Tariff
from core.wording import CITIZEN, day_and_time
from storage.models import (
    Announcement,
    AnnouncementState,
    DialogueSession,
    Reach,
    SessionState,
    Unit,
)

# 7, 3 and 1 days, 2 hours: the steps that staff may choose from.
REMINDERS = {"7d": 7 * 1440, "3d": 3 * 1440, "1d": 1440, "2h": 120}
TOO_LATE = "too_late"
SESSION_OVER = "session_over"
# A reminder that a stopped machine missed is still worth something for so long.
_GRACE = timedelta(hours=6)
_OVER = (SessionState.HELD, SessionState.PUBLISHED)


def remind(
    session: Session,
    dialogue_session: DialogueSession,
    *,
    before: Sequence[str],
    created_by: str,
    now: datetime,
) -> list[Announcement]:
    """Schedule reminders of a dialogue session (keys of `REMINDERS`); those whose time has passed are left out.

    They go by free routes only. Asked for twice, a reminder is there once. Raises `AnnouncementError("reminder")`.
    """
    if set(before) - set(REMINDERS):
        raise AnnouncementError("reminder")
    there = set(
        session.scalars(
            select(Announcement.before_minutes).where(
                Announcement.session_id == dialogue_session.id,
                Announcement.before_minutes.is_not(None),
                Announcement.state != AnnouncementState.CANCELLED,
            )
        )
    )
    wanted = sorted({REMINDERS[name] for name in before} - there, reverse=True)
    made = [
        Announcement(
            unit_code=dialogue_session.unit_code,
            session_id=dialogue_session.id,
            text=reminder_text(session, dialogue_session),
            state=AnnouncementState.SCHEDULED,
            created_at=now,
            created_by=created_by,
            before_minutes=minutes,
            reach=Reach.FREE,
        )
        for minutes in wanted
        if dialogue_session.held_at - timedelta(minutes=minutes) > now
    ]
    session.add_all(made)
    session.flush()
    return made


def reminder_text(session: Session, dialogue_session: DialogueSession) -> str:
    """What a reminder says; written again when it starts, so that a moved session is told rightly."""
    return CITIZEN.say(
        "announcement.reminder",
        unit=session.get_one(Unit, dialogue_session.unit_code).name,
        title=dialogue_session.title,
        when=day_and_time(dialogue_session.held_at),
        place=dialogue_session.place or CITIZEN.say("sessions.place_unset"),
    )


def starts_at(announcement: Announcement, dialogue_session: DialogueSession | None, rules: Rules) -> datetime:
    """When a scheduled announcement starts, after quiet hours where it would fall into them."""
    if announcement.before_minutes is not None and dialogue_session is not None:
        at = dialogue_session.held_at - timedelta(minutes=announcement.before_minutes)
    else:
        at = announcement.starts_at or announcement.created_at
    return rules.quiet.over_at(at)


def anything_scheduled(session: Session) -> bool:
    """Whether `start_due` could find something; reads one index."""
    query = select(Announcement.id).where(Announcement.state == AnnouncementState.SCHEDULED).limit(1)
    return session.scalar(query) is not None


def start_due(session: Session, *, rules: Rules, tariffs: Mapping[str, Tariff], now: datetime) -> int:
    """Start every scheduled announcement whose time has come; returns how many rows were written.

    One query when none is due. What is of no use any more (the session is over, the time long past) is cancelled and
    says why.
    """
    scheduled = session.execute(
        select(Announcement, DialogueSession)
        .outerjoin(DialogueSession, DialogueSession.id == Announcement.session_id)
        .where(Announcement.state == AnnouncementState.SCHEDULED)
        .with_for_update(of=Announcement)
    ).tuples()
    rows = 0
    for announcement, dialogue_session in scheduled.all():
        due = starts_at(announcement, dialogue_session, rules)
        if due > now:
            continue
        why = _useless(announcement, dialogue_session, due=due, now=now)
        if why:
            announcement.state, announcement.stopped_why = AnnouncementState.CANCELLED, why
            continue
        if announcement.before_minutes is not None and dialogue_session is not None:
            announcement.text = reminder_text(session, dialogue_session)
        announcement.state, announcement.starts_at = AnnouncementState.RUNNING, now
        session.flush()
        rows += write_rows(session, announcement, rules=rules, tariffs=tariffs, now=now)
    return rows


def _useless(
    announcement: Announcement, dialogue_session: DialogueSession | None, *, due: datetime, now: datetime
) -> str:
    if dialogue_session is not None and (dialogue_session.state in _OVER or dialogue_session.held_at <= now):
        return SESSION_OVER
    return TOO_LATE if announcement.before_minutes is not None and now - due > _GRACE else ""

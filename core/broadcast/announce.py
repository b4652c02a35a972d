"""Say beforehand whom an announcement reaches, then write one outbound row per recipient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from core.broadcast.rules import NO_RULES, Rules
from core.outbox.queue import TEXT_LIMIT
from core.outbox.tariff import Tariff
from core.outbox.toll import OVER_BUDGET
from core.people import units
from core.wording import CITIZEN, day_and_time
from storage.base import JSONValue, UTCDateTime
from storage.models import (
    PRIORITY,
    Announcement,
    AnnouncementState,
    Citizen,
    Contact,
    DialogueSession,
    Outbound,
    OutboundKind,
    OutboundState,
    Reach,
    Route,
    Unit,
)

if TYPE_CHECKING:
    from core.broadcast.plan import Plan

NO_TARIFFS: Mapping[str, Tariff] = MappingProxyType({})
TOO_OFTEN = "too_often"
_WEEK = timedelta(days=7)
_HEARD = (
    OutboundState.QUEUED,
    OutboundState.SENDING,
    OutboundState.SENT,
    OutboundState.UNKNOWN,
    OutboundState.TEMPORARY_FAILURE,
    OutboundState.PAUSED,
    OutboundState.MERGED,
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
    reach: Reach = Reach.FREE,
    plan: Plan | None = None,
    rules: Rules = NO_RULES,
    tariffs: Mapping[str, Tariff] = NO_TARIFFS,
) -> tuple[Announcement, int]:
    """Write the announcement and its rows in one statement; returns both. The caller commits.

    With a `due_at` to come, its rows are written then (`schedule.start_due`), for who is subscribed then. `plan` is
    what staff confirmed: the run never costs more. Unique on (announcement, contact): starting twice by mistake makes
    a second announcement, not a second row of this one. Raises `AnnouncementError` for a text that a platform would
    not take.
    """
    text = with_opt_out(text.strip())
    if len(text) > TEXT_LIMIT:
        raise AnnouncementError("too_long")
    later = due_at is not None and due_at > now
    announcement = Announcement(
        unit_code=unit_code,
        session_id=session_id,
        text=text,
        state=AnnouncementState.SCHEDULED if later else AnnouncementState.RUNNING,
        created_at=now,
        created_by=created_by,
        starts_at=due_at if later else now,
        reach=reach,
        cost_limit_vnd=plan.cost_vnd if plan else 0,
        plan=plan.as_json() if plan else None,
        template_data=_template_data(session, session_id),
    )
    session.add(announcement)
    session.flush()
    if later:
        return announcement, 0
    return announcement, write_rows(session, announcement, rules=rules, tariffs=tariffs, now=now)


def _template_data(session: Session, session_id: int | None) -> dict[str, str] | None:
    """Values for an approved template; without a dialogue session there is nothing to fill it with."""
    if session_id is None:
        return None
    found = session.get_one(DialogueSession, session_id)
    return {
        "unit": session.get_one(Unit, found.unit_code).name,
        "title": found.title,
        "when": day_and_time(found.held_at),
        "place": found.place or CITIZEN.say("sessions.place_unset"),
        "deadline": day_and_time(found.collects_until),
    }


def write_rows(
    session: Session,
    announcement: Announcement,
    *,
    rules: Rules,
    tariffs: Mapping[str, Tariff],
    now: datetime,
) -> int:
    """One row for everybody of the audience, whatever becomes of it; returns how many. Two statements and a count."""
    audience = audience_of(session, announcement.unit_code).subquery()
    tired = tired_of_news(session, per_week=rules.per_week, now=now, besides=announcement.id)
    is_tired = audience.c.id.in_(tired) if tired is not None else false()
    route = route_case(
        audience,
        announcement.reach,
        tariffs,
        template=announcement.template_data is not None,
        now=now,
    )
    state = case(
        (~audience.c.reachable, OutboundState.PERMANENT_FAILURE.value),
        (is_tired, OutboundState.CANCELLED.value),
        (route == Route.NEXT_CONTACT.value, OutboundState.WAITING_FOR_CONTACT.value),
        else_=OutboundState.QUEUED.value,
    )
    values: dict[str, Any] = {
        "contact_id": audience.c.id,
        "channel": audience.c.channel,
        "account_id": audience.c.account_id,
        "kind": literal(OutboundKind.ANNOUNCEMENT.value),
        "dedupe_key": literal(f"announce:{announcement.id}:") + cast(audience.c.id, String),
        "text": literal(announcement.text),
        "choices": literal([], JSONValue),
        "priority": literal(PRIORITY[OutboundKind.ANNOUNCEMENT]),
        "state": state,
        "failure": case((and_(audience.c.reachable, is_tired), TOO_OFTEN)),
        "attempts": literal(0),
        "due_at": literal(rules.quiet.over_at(now), UTCDateTime()),
        "created_at": literal(now, UTCDateTime()),
        "announcement_id": literal(announcement.id),
        "route": route,
        "cost_vnd": literal(0),
    }
    source = select(*[value.label(name) for name, value in values.items()])
    session.execute(insert(Outbound).from_select(list(values), source))
    # PostgreSQL's driver does not tell how many rows an INSERT … SELECT of the ORM wrote.
    written = session.scalar(select(func.count()).where(Outbound.announcement_id == announcement.id))
    return written or 0


def route_case(
    audience: Subquery, reach: str, tariffs: Mapping[str, Tariff], *, template: bool, now: datetime
) -> ColumnElement[str]:
    """By which route each person of the audience is reached at `now`; `template`: one could be filled."""
    if not tariffs:
        return literal(Route.MESSAGE.value)
    by_window = [
        (
            audience.c.channel == channel,
            _by_window(audience, reach, tariff, template=template and tariff.has_template, now=now),
        )
        for channel, tariff in tariffs.items()
    ]
    return case(*by_window, else_=Route.MESSAGE.value)


def _by_window(
    audience: Subquery, reach: str, tariff: Tariff, *, template: bool, now: datetime
) -> ColumnElement[str]:
    # A window that closes while the announcement runs is seen again when the row is claimed.
    paid = Route.PAID_WINDOW if reach != Reach.FREE else Route.NEXT_CONTACT
    outside = Route.TEMPLATE if template and reach == Reach.TEMPLATE else Route.NEXT_CONTACT
    return case(
        (audience.c.last_inbound_at >= now - tariff.free, Route.FREE_WINDOW.value),
        (audience.c.last_inbound_at >= now - tariff.paid, paid.value),
        else_=outside.value,
    )


def tired_of_news(
    session: Session, *, per_week: int, now: datetime, besides: int | None = None
) -> Select[int] | None:
    """Contacts that had `per_week` bulk messages within seven days; None when nobody can have had so many."""
    if not per_week:
        return None
    recent = session.scalars(
        select(Announcement.id).where(
            func.coalesce(Announcement.starts_at, Announcement.created_at) >= now - _WEEK,
            Announcement.state != AnnouncementState.SCHEDULED,
            Announcement.id != besides if besides is not None else true(),
        )
    ).all()
    if len(recent) < per_week:
        return None
    return (
        select(Outbound.contact_id)
        .where(
            Outbound.announcement_id.in_(recent),
            Outbound.state.in_(_HEARD),
        )
        .group_by(Outbound.contact_id)
        .having(func.count() >= per_week)
    )


def audience_of(session: Session, unit_code: str) -> Select[int, str, str, bool, datetime | None]:
    """Contacts (id, channel, account, reachable, last message) of subscribers of the unit and of units below it."""
    return (
        select(Contact.id, Contact.channel, Contact.account_id, Contact.reachable, Contact.last_inbound_at)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(
            Citizen.wants_announcements.is_(True),
            Citizen.erased_at.is_(None),
            Citizen.unit_code.in_(units.with_children(session, unit_code)),
        )
    )


_OPEN = (OutboundState.QUEUED, OutboundState.TEMPORARY_FAILURE)
_MOVES: dict[str, tuple[tuple[OutboundState, ...], OutboundState]] = {
    AnnouncementState.PAUSED: (_OPEN, OutboundState.PAUSED),
    AnnouncementState.RUNNING: ((OutboundState.PAUSED,), OutboundState.QUEUED),
    AnnouncementState.CANCELLED: (
        (*_OPEN, OutboundState.PAUSED, OutboundState.WAITING_FOR_CONTACT),
        OutboundState.CANCELLED,
    ),
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    AnnouncementState.SCHEDULED: (AnnouncementState.CANCELLED,),
    AnnouncementState.RUNNING: (AnnouncementState.PAUSED, AnnouncementState.CANCELLED),
    AnnouncementState.PAUSED: (AnnouncementState.RUNNING, AnnouncementState.CANCELLED),
    AnnouncementState.CANCELLED: (),
}


def steer(session: Session, announcement_id: int, to: str, *, cost_limit_vnd: int | None = None) -> int:
    """Pause (`paused`), go on (`running`) or cancel (`cancelled`); returns how many rows changed.

    One statement: what is not in the air is stopped when the transaction commits. Going on after the confirmed money
    was spent needs a higher `cost_limit_vnd`. Raises `AnnouncementError` with `announcement_unknown`,
    `announcement_state` or `over_budget`.
    """
    announcement = session.get(Announcement, announcement_id, with_for_update=True)
    if announcement is None:
        raise AnnouncementError("announcement_unknown")
    if to not in _ALLOWED[announcement.state]:
        raise AnnouncementError("announcement_state")
    if cost_limit_vnd is not None:
        announcement.cost_limit_vnd = max(announcement.spent_vnd, cost_limit_vnd)
    if to == AnnouncementState.RUNNING:
        if announcement.stopped_why == OVER_BUDGET and cost_limit_vnd is None:
            raise AnnouncementError(OVER_BUDGET)
        announcement.stopped_why = None
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

"""Before anything is sent: how many go by which route, what it costs, how long it takes, whether the notice is in time.

Routes: `message` (no window on this channel), `free_window` and `paid_window` (Zalo OA, by the person's last message),
`next_contact` (nothing may be sent now: it is delivered when the person next writes). Prices and windows are settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.broadcast.announce import audience_of
from core.outbox.port import ChannelName
from core.settings import Settings
from storage.models import Contact, DialogueSession, Outbound, OutboundState

_FREE_WINDOW, _PAID_WINDOW = timedelta(hours=48), timedelta(days=7)
_TELEGRAM_PER_SECOND = 30.0
# No published ceiling; two a second is what one connection does.
_UNPUBLISHED_PER_SECOND = 2.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One channel and route: recipients, price of all in đồng, seconds at the channel's ceiling."""

    channel: str
    route: str
    recipients: int
    cost_vnd: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending now would do. `in_time` says whether everybody reachable is told `notice_days` before the session.

    `quota_left` counts messages of channels with a monthly package; `unreachable` people blocked or left.
    """

    lanes: tuple[Lane, ...]
    recipients: int
    reached_now: int
    waiting_for_contact: int
    unreachable: int
    cost_vnd: int
    seconds: float
    quota_left: Mapping[str, int]
    latest_start: datetime | None
    in_time: bool | None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"latest_start": self.latest_start.isoformat() if self.latest_start else None}


def make_plan(
    session: Session,
    *,
    unit_code: str,
    dialogue_session: DialogueSession | None,
    settings: Settings,
    now: datetime,
) -> Plan:
    """Count the audience by channel and route; two queries whatever its size."""
    audience = audience_of(session, unit_code).subquery()
    windows = case(
        (Contact.last_inbound_at >= now - _FREE_WINDOW, "free_window"),
        (Contact.last_inbound_at >= now - _PAID_WINDOW, "paid_window"),
        else_="next_contact",
    )
    route = case((audience.c.channel == ChannelName.ZALO_OA, windows), else_="message")
    counted = session.execute(
        select(audience.c.channel, audience.c.reachable, route, func.count())
        .join(Contact, Contact.id == audience.c.id)
        .group_by(audience.c.channel, audience.c.reachable, route)
    ).all()
    quota_left = {
        ChannelName.ZALO_BOT.value: max(
            0, settings.zalo_bot_monthly_quota - _sent_this_month(session, ChannelName.ZALO_BOT, now)
        )
    }
    lanes = _lanes(
        {(channel, name): count for channel, reachable, name, count in counted if reachable},
        quota_left,
        settings,
    )
    per_channel: dict[str, float] = {}
    for lane in lanes:
        per_channel[lane.channel] = per_channel.get(lane.channel, 0.0) + lane.seconds
    seconds = max(per_channel.values(), default=0.0)
    held_at = dialogue_session.held_at if dialogue_session else None
    latest = held_at - timedelta(days=settings.notice_days, seconds=seconds) if held_at else None
    now_lanes = [lane for lane in lanes if lane.route != "next_contact"]
    reached = sum(lane.recipients for lane in now_lanes)
    return Plan(
        tuple(lanes),
        sum(lane.recipients for lane in lanes),
        reached,
        sum(lane.recipients for lane in lanes) - reached,
        sum(count for _, reachable, _, count in counted if not reachable),
        sum(lane.cost_vnd for lane in lanes),
        round(seconds, 1),
        quota_left,
        latest,
        None if latest is None else now <= latest,
    )


def _lanes(
    counts: Mapping[tuple[str, str], int], quota_left: Mapping[str, int], settings: Settings
) -> list[Lane]:
    lanes: list[Lane] = []
    for (channel, route), count in sorted(counts.items()):
        now = min(count, quota_left[channel]) if channel in quota_left and route == "message" else count
        for name, number in ((route, now), ("next_contact", count - now)):
            if number:
                price = settings.zalo_oa_paid_message_vnd if name == "paid_window" else 0
                waits = 0.0 if name == "next_contact" else number / _per_second(channel, settings)
                lanes.append(Lane(channel, name, number, number * price, round(waits, 1)))
    return lanes


def _per_second(channel: str, settings: Settings) -> float:
    if channel == ChannelName.ZALO_OA:
        return settings.zalo_oa_messages_per_minute / 60
    if channel == ChannelName.TELEGRAM:
        return float(settings.telegram_paid_messages_per_second or _TELEGRAM_PER_SECOND)
    return _UNPUBLISHED_PER_SECOND


def _sent_this_month(session: Session, channel: str, now: datetime) -> int:
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    query = select(func.count()).where(Outbound.channel == channel, Outbound.sent_at >= first)
    return session.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class Handover:
    """One day of one channel: messages the platform took, and the share handed over within ten seconds of being due."""

    day: str
    channel: str
    kind: str
    sent: int
    within_10s: float


def handovers(session: Session, *, since: datetime) -> list[Handover]:
    """By day (UTC), channel and kind of message; one query."""
    if session.get_bind().dialect.name == "postgresql":
        waited: Any = func.extract("epoch", Outbound.sent_at - Outbound.due_at)
        day: Any = func.to_char(func.timezone("UTC", Outbound.sent_at), "YYYY-MM-DD")
    else:
        waited = (func.julianday(Outbound.sent_at) - func.julianday(Outbound.due_at)) * 86_400
        day = func.strftime("%Y-%m-%d", Outbound.sent_at)
    quick = func.sum(case((waited <= 10, 1), else_=0))
    rows = session.execute(
        select(day, Outbound.channel, Outbound.kind, func.count(), quick)
        .where(Outbound.state == OutboundState.SENT, Outbound.sent_at >= since)
        .group_by(day, Outbound.channel, Outbound.kind)
        .order_by(day, Outbound.channel, Outbound.kind)
    )
    return [
        Handover(day_, channel, kind, count, round(int(fast) / count, 4))
        for day_, channel, kind, count, fast in rows
    ]

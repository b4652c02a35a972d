"""Before anything is sent: how many go by which route, what it costs, how long it takes, whether the notice is in time.

Routes are `storage.models.Route`; prices and windows are the channel's tariff, which comes from settings. Articles are
no route: Zalo shows them by age and region, not to our subscribers, and tells nobody who got one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.broadcast.announce import audience_of, route_case, tired_of_news
from core.broadcast.rules import rules_of
from core.outbox.port import ChannelName
from core.outbox.tariff import Tariff, tariff_of
from core.settings import Settings
from storage.models import DialogueSession, Outbound, OutboundState, Reach, Route

_TELEGRAM_PER_SECOND = 30.0
# No published ceiling; two a second is what one connection does.
_UNPUBLISHED_PER_SECOND = 2.0
# Every reach takes the routes of the one before it too; what it may not use waits for the person.
_REACHES = (Reach.FREE, Reach.PAID, Reach.TEMPLATE)
_PAYING = {Route.PAID_WINDOW: (Reach.PAID, Reach.TEMPLATE), Route.TEMPLATE: (Reach.TEMPLATE,)}


@dataclass(frozen=True, slots=True)
class Lane:
    """One channel and route: recipients, price of all in đồng, seconds at the channel's ceiling."""

    channel: str
    route: str
    recipients: int
    cost_vnd: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Option:
    """What one reach would do, to compare."""

    reach: str
    reached_now: int
    waiting_for_contact: int
    cost_vnd: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending at `starts_at` would do. `in_time`: everybody who can be told now hears it `notice_days` before.

    `quota_left` counts messages of channels with a monthly package; `unreachable` people blocked or left; `too_often`
    people had their messages of the week. `recommended` is the cheapest reach that tells nobody too late who could be
    told in time; without a dialogue session it is the free one.
    """

    reach: str
    recommended: str
    options: tuple[Option, ...]
    lanes: tuple[Lane, ...]
    recipients: int
    reached_now: int
    waiting_for_contact: int
    unreachable: int
    too_often: int
    cost_vnd: int
    seconds: float
    quota_left: Mapping[str, int]
    starts_at: datetime
    latest_start: datetime | None
    in_time: bool | None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {
            "starts_at": self.starts_at.isoformat(),
            "latest_start": self.latest_start.isoformat() if self.latest_start else None,
        }


def tariffs_of(settings: Settings) -> dict[str, Tariff]:
    """The tariffs of the channels that have one."""
    found = {name.value: tariff_of(name, settings) for name in ChannelName}
    return {name: tariff for name, tariff in found.items() if tariff is not None}


def make_plan(
    session: Session,
    *,
    unit_code: str,
    dialogue_session: DialogueSession | None,
    settings: Settings,
    now: datetime,
    reach: Reach | None = None,
    due_at: datetime | None = None,
) -> Plan:
    """Count the audience by channel and route, in four queries. `reach` None takes the recommended one."""
    rules = rules_of(settings)
    starts_at = rules.quiet.over_at(max(now, due_at or now))
    held_at = dialogue_session.held_at if dialogue_session else None
    counts, unreachable, too_often = _count(
        session,
        unit_code,
        tariffs_of(settings),
        per_week=rules.per_week,
        template=held_at is not None,
        now=starts_at,
    )
    bot = ChannelName.ZALO_BOT
    quota_left = {
        bot.value: max(0, settings.zalo_bot_monthly_quota - _sent_this_month(session, bot, starts_at))
    }
    lanes = {one: _lanes(_within(counts, one), quota_left, settings) for one in _REACHES}
    options = tuple(_option(one, lanes[one]) for one in _REACHES)
    recommended = _recommended(options) if held_at else Reach.FREE
    chosen = lanes[reach or recommended]
    per_channel: dict[str, float] = {}
    for lane in chosen:
        per_channel[lane.channel] = per_channel.get(lane.channel, 0.0) + lane.seconds
    seconds = max(per_channel.values(), default=0.0)
    latest = held_at - timedelta(days=settings.notice_days, seconds=seconds) if held_at else None
    outcome = _option(reach or recommended, chosen)
    return Plan(
        reach=reach or recommended,
        recommended=recommended,
        options=options,
        lanes=tuple(chosen),
        recipients=outcome.reached_now + outcome.waiting_for_contact,
        reached_now=outcome.reached_now,
        waiting_for_contact=outcome.waiting_for_contact,
        unreachable=unreachable,
        too_often=too_often,
        cost_vnd=outcome.cost_vnd,
        seconds=round(seconds, 1),
        quota_left=quota_left,
        starts_at=starts_at,
        latest_start=latest,
        in_time=None if latest is None else starts_at <= latest,
    )


def _count(
    session: Session,
    unit_code: str,
    tariffs: Mapping[str, Tariff],
    *,
    per_week: int,
    template: bool,
    now: datetime,
) -> tuple[dict[tuple[str, str], int], int, int]:
    """People by channel and widest route, those who cannot be reached, those who had enough."""
    audience = audience_of(session, unit_code).subquery()
    route = route_case(audience, Reach.TEMPLATE, tariffs, template=template, now=now)
    tired = tired_of_news(session, per_week=per_week, now=now)
    fate: Any = case(
        (~audience.c.reachable, "unreachable"),
        *(() if tired is None else ((audience.c.id.in_(tired), "too_often"),)),
        else_=route,
    )
    rows = session.execute(
        select(audience.c.channel, fate, func.count()).group_by(audience.c.channel, fate)
    ).all()
    routes = {(channel, name): count for channel, name, count in rows if name in list(Route)}
    return (
        routes,
        sum(count for _, name, count in rows if name == "unreachable"),
        sum(count for _, name, count in rows if name == "too_often"),
    )


def _within(counts: Mapping[tuple[str, str], int], reach: Reach) -> dict[tuple[str, str], int]:
    """The widest routes, cut down to what this reach may use."""
    kept: dict[tuple[str, str], int] = {}
    for (channel, name), count in counts.items():
        route = Route(name)
        allowed = reach in _PAYING.get(route, _REACHES)
        key = (channel, name if allowed else Route.NEXT_CONTACT.value)
        kept[key] = kept.get(key, 0) + count
    return kept


def _option(reach: Reach, lanes: list[Lane]) -> Option:
    waiting = sum(lane.recipients for lane in lanes if lane.route == Route.NEXT_CONTACT)
    total = sum(lane.recipients for lane in lanes)
    return Option(reach.value, total - waiting, waiting, sum(lane.cost_vnd for lane in lanes))


def _recommended(options: tuple[Option, ...]) -> Reach:
    most = max(option.reached_now for option in options)
    return Reach(next(option.reach for option in options if option.reached_now == most))


def _lanes(
    counts: Mapping[tuple[str, str], int], quota_left: Mapping[str, int], settings: Settings
) -> list[Lane]:
    lanes: list[Lane] = []
    for (channel, route), count in sorted(counts.items()):
        now = min(count, quota_left[channel]) if channel in quota_left and route == "message" else count
        for name, number in ((route, now), ("next_contact", count - now)):
            if number:
                tariff = tariff_of(channel, settings)
                price = tariff.price(name) if tariff else 0
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

"""Schedules, quiet hours, the weekly cap, and money that is never more than staff confirmed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from core.broadcast import announce, schedule
from core.broadcast.announce import AnnouncementError
from core.broadcast.plan import Plan, make_plan, tariffs_of
from core.broadcast.rules import QuietHours, rules_of
from core.outbox import queue
from core.outbox.port import NotDelivered, SendFailure
from core.outbox.queue import Claimed
from core.outbox.tariff import tariff_of
from core.sessions import lifecycle
from core.wording.dates import local
from storage.models import (
    Announcement,
    AnnouncementState,
    Contact,
    Outbound,
    OutboundState,
    Reach,
    Route,
    SessionState,
)
from tests.factories.many import many_concerns
from tests.factories.records import Commune

PEOPLE = 60
OA_REACHABLE = 18  # a third is on the OA, every tenth of all is out of reach


@pytest.fixture
def session_id(commune: Commune) -> int:
    made = commune.collecting()
    many_concerns(commune, PEOPLE, session_id=made, subscribers=True)
    commune.settings = commune.settings.model_copy(update={"zalo_oa_template_id": "1234"})
    return made


def last_wrote(commune: Commune, *days: float) -> None:
    """The OA's reachable people last wrote so many days ago, in equal parts."""
    with commune.database.write() as session:
        people = session.scalars(
            select(Contact.id)
            .where(Contact.channel == "zalo_oa", Contact.reachable.is_(True))
            .order_by(Contact.id)
        ).all()
        assert len(people) == OA_REACHABLE
        for number, contact_id in enumerate(people):
            at = commune.clock.at - timedelta(days=days[number % len(days)])
            session.execute(update(Contact).where(Contact.id == contact_id).values(last_inbound_at=at))


def plan_of(commune: Commune, session_id: int, reach: Reach | None = None) -> Plan:
    with commune.database.read() as session:
        found = lifecycle.get(session, session_id)
        return make_plan(
            session,
            unit_code=found.unit_code,
            dialogue_session=found,
            settings=commune.settings,
            now=commune.clock.at,
            reach=reach,
        )


def start(commune: Commune, session_id: int, plan: Plan | None = None, due_at: datetime | None = None) -> int:
    with commune.database.write() as session:
        made, _ = announce.start(
            session,
            unit_code="15",
            session_id=session_id,
            text="Mời bà con",
            created_by="t",
            now=commune.clock.at,
            due_at=due_at,
            reach=Reach(plan.reach) if plan else Reach.FREE,
            plan=plan,
            rules=rules_of(commune.settings),
            tariffs=tariffs_of(commune.settings),
        )
        return made.id


def claim(commune: Commune, *, limit: int = 99, bulk: bool = True) -> list[Claimed]:
    with commune.database.write() as session:
        return queue.claim_due(
            session,
            channel="zalo_oa",
            account_id="a",
            holder="s",
            limit=limit,
            now=commune.clock.at,
            tariff=tariff_of("zalo_oa", commune.settings),
            bulk=bulk,
        )


def states(commune: Commune, channel: str = "zalo_oa") -> dict[str, int]:
    with commune.database.read() as session:
        rows = session.execute(
            select(Outbound.state, func.count()).where(Outbound.channel == channel).group_by(Outbound.state)
        )
        return dict(rows.tuples().all())


def announcement(commune: Commune, number: int) -> Announcement:
    with commune.database.read() as session:
        return session.get_one(Announcement, number)


def test_the_plan_compares_reaches_and_recommends_the_cheapest_that_tells_everybody(
    commune: Commune, session_id: int
) -> None:
    last_wrote(commune, 1, 4, 30)
    plan = plan_of(commune, session_id)
    told = {option.reach: (option.reached_now, option.cost_vnd) for option in plan.options}
    others = PEOPLE * 2 // 3 - 4

    assert told == {
        "free": (others + 6, 0),
        "paid": (others + 12, 6 * 55),
        "template": (others + 18, 6 * 55 + 6 * 300),
    }
    assert plan.recommended == plan.reach == "template"
    last_wrote(commune, 1)
    assert plan_of(commune, session_id).recommended == "free"


@pytest.mark.parametrize(
    ("reach", "sending", "waiting"), [("free", 6, 12), ("paid", 12, 6), ("template", 18, 0)]
)
def test_a_run_goes_as_far_as_was_confirmed_and_costs_what_was_shown(
    commune: Commune, session_id: int, reach: str, sending: int, waiting: int
) -> None:
    last_wrote(commune, 1, 4, 30)
    plan = plan_of(commune, session_id, Reach(reach))
    number = start(commune, session_id, plan)
    claimed = claim(commune)

    assert len(claimed) == sending
    assert states(commune).get(OutboundState.WAITING_FOR_CONTACT, 0) == waiting
    assert announcement(commune, number).spent_vnd == plan.cost_vnd
    by_template = [one.message.template_data for one in claimed if one.message.template_data]
    assert len(by_template) == (6 if reach == "template" else 0)
    assert all(data["title"] == "Đối thoại quý IV" for data in by_template if data)


def test_a_run_that_would_cost_more_stops_and_says_why(commune: Commune, session_id: int) -> None:
    last_wrote(commune, 1)
    number = start(commune, session_id, plan_of(commune, session_id, Reach.PAID))
    last_wrote(commune, 1, 4)  # half of them slid out of the free window meanwhile
    claimed = claim(commune)

    assert len(claimed) == 9
    found = announcement(commune, number)
    assert (found.state, found.stopped_why, found.spent_vnd) == ("paused", "over_budget", 0)
    assert states(commune)[OutboundState.PAUSED] == 9
    with commune.database.write() as session, pytest.raises(AnnouncementError):
        announce.steer(session, number, "running")
    with commune.database.write() as session:
        announce.steer(session, number, "running", cost_limit_vnd=9 * 55)
    assert len(claim(commune)) == 9
    assert announcement(commune, number).spent_vnd == 9 * 55


def test_a_refused_message_costs_nothing(commune: Commune, session_id: int) -> None:
    last_wrote(commune, 4)
    number = start(commune, session_id, plan_of(commune, session_id, Reach.PAID))
    one, *_ = claim(commune)
    with commune.database.write() as session:
        error = NotDelivered(SendFailure.REJECTED, "refused")
        queue.record_failure(session, one, error=error, now=commune.clock.at)
    assert announcement(commune, number).spent_vnd == (OA_REACHABLE - 1) * 55


def test_no_message_leaves_outside_a_window(commune: Commune, session_id: int) -> None:
    last_wrote(commune, 1)
    start(commune, session_id)
    commune.clock.pass_by(days=8)
    assert claim(commune) == []
    assert states(commune)[OutboundState.WAITING_FOR_CONTACT] == OA_REACHABLE
    with commune.database.read() as session:
        routes = session.scalars(select(Outbound.route).where(Outbound.channel == "zalo_oa")).all()
    assert Route.NEXT_CONTACT in routes


def test_announcements_rest_at_night_and_replies_do_not(commune: Commune, session_id: int) -> None:
    last_wrote(commune, 0.1)
    start(commune, session_id)
    assert claim(commune, bulk=False) == []
    commune.clock.at = datetime(2026, 11, 2, 15, 30, tzinfo=UTC)  # half past ten in the evening
    start(commune, session_id)
    with commune.database.read() as session:
        latest = session.scalars(select(func.max(Outbound.due_at))).one()
    assert latest == datetime(2026, 11, 3, 0, 0, tzinfo=UTC)


def test_nobody_hears_more_than_the_weekly_cap(commune: Commune, session_id: int) -> None:
    commune.settings = commune.settings.model_copy(update={"announcements_per_week": 2})
    start(commune, session_id)
    assert plan_of(commune, session_id).too_often == 0
    commune.clock.pass_by(hours=1)
    start(commune, session_id)
    assert plan_of(commune, session_id).too_often == PEOPLE - 6
    commune.clock.pass_by(hours=1)
    third = start(commune, session_id)
    with commune.database.read() as session:
        assert announce.outcome(session, third) == {"cancelled": PEOPLE - 6, "permanent_failure": 6}
    commune.clock.pass_by(days=8)
    assert plan_of(commune, session_id).too_often == 0


def test_a_scheduled_announcement_starts_once_for_who_is_there_then(
    commune: Commune, session_id: int
) -> None:
    number = start(commune, session_id, due_at=commune.clock.at + timedelta(hours=2))
    assert states(commune) == {}
    assert _sweep(commune) == 0
    commune.clock.pass_by(hours=2)
    assert _sweep(commune) == PEOPLE
    assert _sweep(commune) == 0
    assert announcement(commune, number).state == AnnouncementState.RUNNING


def test_reminders_follow_a_session_that_moves_and_die_with_it(commune: Commune, session_id: int) -> None:
    with commune.database.write() as session:
        found = lifecycle.get(session, session_id)
        made = schedule.remind(
            session, found, before=["7d", "3d", "1d", "2h"], created_by="t", now=commune.clock.at
        )
        assert [one.before_minutes for one in made] == [10080, 4320, 1440, 120]
        again = schedule.remind(session, found, before=["3d"], created_by="t", now=commune.clock.at)
        assert again == []
        with pytest.raises(AnnouncementError):
            schedule.remind(session, found, before=["5d"], created_by="t", now=commune.clock.at)
    commune.clock.pass_by(days=13, minutes=1)
    assert _sweep(commune) == PEOPLE  # a week before
    with commune.database.write() as session:
        found = lifecycle.get(session, session_id)
        found.held_at += timedelta(days=10)
    commune.clock.pass_by(days=4)
    assert _sweep(commune) == 0  # three days before the old day
    commune.clock.pass_by(days=10)
    assert _sweep(commune) == PEOPLE
    with commune.database.read() as session:
        newest = session.scalars(select(Outbound.text).order_by(Outbound.id.desc()).limit(1)).one()
    assert "02/12/2026" in newest
    assert "NGỪNG" in newest
    with commune.database.write() as session:
        lifecycle.get(session, session_id).state = SessionState.HELD
    commune.clock.pass_by(days=5)
    assert _sweep(commune) == 0
    with commune.database.read() as session:
        left = session.scalars(
            select(Announcement.stopped_why).where(Announcement.state == AnnouncementState.CANCELLED)
        ).all()
    assert left == ["session_over", "session_over"]


def _sweep(commune: Commune) -> int:
    with commune.database.write() as session:
        return schedule.start_due(
            session,
            rules=rules_of(commune.settings),
            tariffs=tariffs_of(commune.settings),
            now=commune.clock.at,
        )


_MINUTES = st.integers(0, 24 * 60 - 1).map(lambda m: time(m // 60, m % 60))


@given(
    begin=_MINUTES,
    end=_MINUTES,
    at=st.integers(0, 365 * 1440).map(lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m)),
)
def test_quiet_hours_end_within_a_day_and_never_in_themselves(begin: time, end: time, at: datetime) -> None:
    quiet = QuietHours(begin, end)
    over = quiet.over_at(at)
    assert at <= over <= at + timedelta(days=1)
    assert quiet.over_at(over) == over
    if over != at:
        assert local(over).time() == end

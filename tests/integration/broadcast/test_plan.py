"""The planner's table, pausing and cancelling, and the hand-over report."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.broadcast import announce
from core.broadcast.announce import AnnouncementError
from core.broadcast.plan import handovers, make_plan
from core.outbox import queue
from core.sessions import lifecycle
from storage.models import Contact, Outbound, OutboundState
from tests.factories.many import many_concerns
from tests.factories.queries import counted
from tests.factories.records import Commune
from tests.integration.cli.conftest import Nghedan, nghedan

__all__ = ["nghedan"]


def _audience(commune: Commune, size: int = 60) -> int:
    """Subscribers on three channels, every tenth out of reach; the OA's wrote an hour, five and thirty days ago."""
    session_id = commune.collecting()
    many_concerns(commune, size, session_id=session_id, subscribers=True)
    ages = (timedelta(hours=1), timedelta(days=5), timedelta(days=30))
    with commune.database.write() as session:
        oa = session.scalars(
            select(Contact.id).where(Contact.channel == "zalo_oa").order_by(Contact.id)
        ).all()
        for number, contact in enumerate(oa):
            session.execute(
                update(Contact)
                .where(Contact.id == contact)
                .values(last_inbound_at=commune.clock.at - ages[number % 3])
            )
    return session_id


def test_the_plan_counts_everybody_once_by_route(commune: Commune) -> None:
    session_id = _audience(commune)
    settings = commune.settings.model_copy(update={"zalo_bot_monthly_quota": 5})
    with commune.database.read() as session, counted(commune.database) as queries:
        found = lifecycle.get(session, session_id)
        plan = make_plan(
            session,
            unit_code=found.unit_code,
            dialogue_session=found,
            settings=settings,
            now=commune.clock.at,
        )
    by_route = {(lane.channel, lane.route): lane for lane in plan.lanes}

    assert plan.recipients + plan.unreachable == 60
    assert plan.reached_now + plan.waiting_for_contact == plan.recipients
    assert by_route["zalo_bot", "message"].recipients == 5
    assert by_route["zalo_bot", "next_contact"].recipients > 0
    paid = by_route["zalo_oa", "paid_window"]
    assert paid.cost_vnd == 55 * paid.recipients == plan.cost_vnd
    assert by_route["zalo_oa", "free_window"].cost_vnd == 0
    assert plan.in_time is True
    assert len(queries) <= 6


def test_a_late_plan_says_so(commune: Commune) -> None:
    session_id = _audience(commune)
    with commune.database.read() as session:
        found = lifecycle.get(session, session_id)
        plan = make_plan(
            session, unit_code=found.unit_code, dialogue_session=found, settings=commune.settings,
            now=found.held_at - timedelta(days=6),
        )  # fmt: skip
    assert plan.in_time is False
    assert plan.latest_start is not None


def _states(commune: Commune) -> dict[str, int]:
    with commune.database.read() as session:
        return dict(
            session.execute(select(Outbound.state, func.count()).group_by(Outbound.state)).tuples().all()
        )


def test_a_paused_announcement_sends_nothing_until_it_goes_on(commune: Commune) -> None:
    session_id = _audience(commune)
    with commune.database.write() as session:
        made, _ = announce.start(
            session,
            unit_code="15",
            session_id=session_id,
            text="Mời bà con",
            created_by="t",
            now=commune.clock.at,
        )
        number = made.id
    queued = _states(commune)[OutboundState.QUEUED]
    with commune.database.write() as session:
        assert announce.steer(session, number, "paused") == queued
    with commune.database.write() as session:
        for channel in ("telegram", "zalo_oa", "zalo_bot"):
            assert (
                queue.claim_due(
                    session, channel=channel, account_id="a", holder="s", limit=99, now=commune.clock.at
                )
                == []
            )
        with pytest.raises(AnnouncementError):
            announce.steer(session, number, "paused")
    with commune.database.write() as session:
        assert announce.steer(session, number, "running") == queued
    with commune.database.write() as session:
        assert announce.steer(session, number, "cancelled") == queued
    assert OutboundState.QUEUED not in _states(commune)
    with commune.database.write() as session, pytest.raises(AnnouncementError):
        announce.steer(session, number, "running")


def test_the_report_tells_what_was_handed_over_in_ten_seconds(commune: Commune) -> None:
    session_id = _audience(commune, 30)
    with commune.database.write() as session:
        announce.start(
            session,
            unit_code="15",
            session_id=session_id,
            text="Mời bà con",
            created_by="t",
            now=commune.clock.at,
        )
        claimed = queue.claim_due(
            session, channel="telegram", account_id="a", holder="s", limit=4, now=commune.clock.at
        )
        for number, one in enumerate(claimed):
            late = timedelta(seconds=30 if number == 0 else 2)
            queue.record_sent(session, one, external_id=f"m{number}", now=commune.clock.at + late)
    with commune.database.read() as session:
        rows = handovers(session, since=commune.clock.at - timedelta(days=1))
    assert [(r.day, r.channel, r.sent, r.within_10s) for r in rows] == [("2026-11-02", "telegram", 4, 0.75)]


def test_the_commands_plan_and_steer(nghedan: Nghedan, commune: Commune) -> None:
    number = str(_audience(commune))
    planned = nghedan("announce", "plan", "--session", number, "--json")
    assert planned.code == 0
    assert {"lanes", "recipients", "cost_vnd", "seconds", "quota_left", "latest_start"} <= set(planned.json)
    sent = nghedan("announce", "--session", number, "--send", "--json").json
    assert nghedan("announce", "pause", "--announcement", str(sent["announcement"])).code == 0
    assert nghedan("announce", "cancel", "--announcement", str(sent["announcement"])).code == 0
    refused = nghedan("announce", "resume", "--announcement", str(sent["announcement"]))
    assert (refused.code, refused.stdout) == (1, "")
    assert "[announcement_state]" in refused.stderr
    assert nghedan("report", "delivery", "--json").json["rows"] == []
    assert nghedan("announce").code == 1

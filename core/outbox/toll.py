"""What claimed rows cost now, and which of them may not go: the windows, and the money that staff confirmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from core.outbox.tariff import Tariff
from storage.models import (
    Announcement,
    AnnouncementState,
    Contact,
    Outbound,
    OutboundState,
    Reach,
    Route,
)

OVER_BUDGET = "over_budget"
_ROWS = Outbound.metadata.tables["outbound"]
_SET_PRICE = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("key"))
    .values(route=bindparam("route_now"), cost_vnd=bindparam("price"))
)


class Tolls:
    """Judges the rows of one claim; those in `held` are not sending any more.

    Queries: one for the rows, and two for each announcement among them that costs something.
    """

    def __init__(self, session: Session, tariff: Tariff, *, now: datetime) -> None:
        self._session = session
        self._tariff = tariff
        self._now = now
        self.held: set[int] = set()

    def judge(self, row_ids: Sequence[int]) -> None:
        """Write route and price of each row; hold those whose window is closed or whose money is spent."""
        waiting: list[int] = []
        prices: list[dict[str, Any]] = []
        bills: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for row_id, announcement_id, route, reach, last_at in self._rows(row_ids):
            if route != Route.TEMPLATE:
                route = self._tariff.route(last_at, now=self._now)
            price = self._tariff.price(route)
            if route == Route.NEXT_CONTACT or (price and reach == Reach.FREE):
                waiting.append(row_id)
                continue
            prices.append({"key": row_id, "route_now": route, "price": price})
            if price and announcement_id is not None:
                bills[announcement_id].append((row_id, price))
        self._wait_for_contact(waiting)
        if prices:
            self._session.connection().execute(_SET_PRICE, prices)
        for announcement_id, bill in bills.items():
            self._pay(announcement_id, bill)

    def _rows(self, row_ids: Sequence[int]) -> list[Any]:
        query = (
            select(
                Outbound.id,
                Outbound.announcement_id,
                Outbound.route,
                Announcement.reach,
                Contact.last_inbound_at,
            )
            .join(Contact, Contact.id == Outbound.contact_id)
            .outerjoin(Announcement, Announcement.id == Outbound.announcement_id)
            .where(Outbound.id.in_(row_ids))
            .order_by(Outbound.id)
        )
        return list(self._session.execute(query))

    def _wait_for_contact(self, row_ids: list[int]) -> None:
        if row_ids:
            self.held.update(row_ids)
            self._change(
                row_ids,
                state=OutboundState.WAITING_FOR_CONTACT,
                route=Route.NEXT_CONTACT,
                failure="window_closed",
            )

    def _pay(self, announcement_id: int, bill: Sequence[tuple[int, int]]) -> None:
        announcement = self._session.get_one(Announcement, announcement_id, with_for_update=True)
        left = announcement.cost_limit_vnd - announcement.spent_vnd
        unpaid = []
        for row_id, price in bill:
            if price <= left:
                left -= price
            else:
                unpaid.append(row_id)
        announcement.spent_vnd = announcement.cost_limit_vnd - left
        if unpaid:
            self.held.update(unpaid)
            self._change(unpaid, state=OutboundState.PAUSED, cost_vnd=0, failure=OVER_BUDGET)
            stop(self._session, announcement, why=OVER_BUDGET)

    def _change(self, row_ids: Sequence[int], **values: object) -> None:
        self._session.execute(
            update(Outbound)
            .where(Outbound.id.in_(row_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def stop(session: Session, announcement: Announcement, *, why: str) -> int:
    """The run cannot go on as confirmed: what is not in the air is paused, and the reason is kept for staff."""
    announcement.state = AnnouncementState.PAUSED
    announcement.stopped_why = why
    changed = session.execute(
        update(Outbound)
        .where(
            Outbound.announcement_id == announcement.id,
            Outbound.state.in_((OutboundState.QUEUED, OutboundState.TEMPORARY_FAILURE)),
        )
        .values(state=OutboundState.PAUSED)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    return changed.rowcount


def give_back(session: Session, row: Outbound) -> None:
    """The platform certainly did not take the row: it cost nothing."""
    if row.announcement_id is not None:
        session.execute(
            update(Announcement)
            .where(Announcement.id == row.announcement_id)
            .values(spent_vnd=Announcement.spent_vnd - row.cost_vnd)
        )
    row.cost_vnd = 0

"""What a message may cost now: the platform's windows after the person's last word, and the prices in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.outbox.port import ChannelName
from core.settings import Settings
from storage.models import Route


@dataclass(frozen=True, slots=True)
class Tariff:
    """Windows of one channel as ages of the person's last message, and prices in đồng.

    Source of windows and prices: the platform's policy pages as read in 2026-11; prices are settings.
    """

    free: timedelta
    paid: timedelta
    paid_vnd: int
    template_vnd: int
    # Without an approved form there is no template route.
    has_template: bool = False

    def route(self, last_inbound_at: datetime | None, *, now: datetime) -> Route:
        """The route of an ordinary message to somebody who last wrote then."""
        if last_inbound_at is None or now - last_inbound_at > self.paid:
            return Route.NEXT_CONTACT
        return Route.FREE_WINDOW if now - last_inbound_at <= self.free else Route.PAID_WINDOW

    def price(self, route: str) -> int:
        """Đồng of one message."""
        if route == Route.PAID_WINDOW:
            return self.paid_vnd
        return self.template_vnd if route == Route.TEMPLATE else 0


def tariff_of(channel: str, settings: Settings) -> Tariff | None:
    """The tariff of a channel; None where messages have no windows and no price."""
    if channel != ChannelName.ZALO_OA:
        return None
    return Tariff(
        timedelta(hours=48),
        timedelta(days=7),
        settings.zalo_oa_paid_message_vnd,
        settings.zalo_oa_template_vnd,
        bool(settings.zalo_oa_template_id),
    )

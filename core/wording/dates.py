"""Instants as Vietnamese people read them; storage keeps aware UTC, the edges show Asia/Ho_Chi_Minh."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def local(instant: datetime) -> datetime:
    """The same instant on a Vietnamese clock."""
    return instant.astimezone(VIETNAM)


def day(value: datetime | date) -> str:
    """`ngày 05/12/2026`."""
    if isinstance(value, datetime):
        value = local(value).date()
    return f"ngày {value:%d/%m/%Y}"


def day_and_time(instant: datetime) -> str:
    """`7 giờ 30 ngày 05/12/2026`, without the minutes on the hour."""
    at = local(instant)
    minutes = f" {at.minute:02d}" if at.minute else ""
    return f"{at.hour} giờ{minutes} {day(instant)}"

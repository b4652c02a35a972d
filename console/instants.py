"""Instants as a browser's form gives them."""

from __future__ import annotations

from datetime import date, datetime

from core.wording.dates import VIETNAM


def instant(value: str) -> datetime | None:
    """What a date and time field gives, as Vietnamese time; None when it cannot be read."""
    try:
        parsed = datetime.strptime(value, "%Y-%m-%dT%H:%M").replace(tzinfo=VIETNAM)
    except ValueError:
        return None
    return parsed if 2000 <= parsed.year <= 2200 else None


def plain_day(value: str) -> date | None:
    """What a date field gives; None when it cannot be read."""
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        return None
    return parsed if 2000 <= parsed.year <= 2200 else None

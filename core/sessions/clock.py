"""The legal clock of a session: what the law asks for next, and by when (Law 72/2025/QH15, Article 43)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.models import DialogueSession, SessionState

_DONE = (SessionState.PUBLISHED,)


@dataclass(frozen=True, slots=True)
class Due:
    """One duty: `what` is a key of the console's catalogue, `at` the last instant, `late` when that is over."""

    what: str
    at: datetime
    late: bool


def next_due(found: DialogueSession, *, notice_days: int, publish_days: int, now: datetime) -> Due | None:
    """The next duty of a session in the order of its life; None when its result is published."""
    if found.state in _DONE:
        return None
    if found.state == SessionState.PLANNED:
        return _due("open", found.held_at - timedelta(days=notice_days), now)
    if found.state == SessionState.COLLECTING:
        return _due("close", found.collects_until, now)
    if found.state == SessionState.CLOSED and now < found.held_at:
        return _due("agenda", found.held_at, now)
    return _due("publish", found.held_at + timedelta(days=publish_days), now)


def _due(what: str, at: datetime, now: datetime) -> Due:
    return Due(what, at, at < now)

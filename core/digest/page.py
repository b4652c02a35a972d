"""The one page as plain values: what the documents print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DigestTopic:
    """One topic of the short list. `parts` are the parts of its score by name, largest first; `new` says that the
    session before had nothing of its theme; `lifted` that it is here so that its commune is heard.
    """

    label: str
    quote: str
    people: int
    recent: int
    places: tuple[str, ...]
    more_places: int
    score: float
    parts: tuple[tuple[str, float], ...]
    flags: tuple[str, ...]
    new: bool
    lifted: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """People of one field, in this session and in the one before."""

    label: str
    people: int
    before: int


@dataclass(frozen=True, slots=True)
class HotSpot:
    """A commune with many people, what most of them speak of, and whether it came in a burst or as copies."""

    unit: str
    people: int
    label: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """A published answer of an earlier session with a date. `late_days` is positive when the date has passed."""

    matter: str
    by: str
    due_on: date
    late_days: int


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything that the page says. Instants are local; `before` is the title of the session before, empty without."""

    title: str
    unit: str
    held_at: datetime
    made_at: datetime
    concerns: int
    people: int
    topics: int
    units: int
    before: str
    before_concerns: int
    before_people: int
    top: tuple[DigestTopic, ...]
    bars: tuple[Bar, ...]
    hot: tuple[HotSpot, ...]
    new: tuple[tuple[str, int], ...]
    new_count: int
    promises: tuple[Promise, ...]
    promise_count: int

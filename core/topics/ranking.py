"""The proposed order for the chair. The formula is in docs/topics.md; every topic keeps the parts of its score."""

from __future__ import annotations

import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

_HARM, _URGENT, _GROWTH, _PROMISED = 2.0, 1.0, 0.5, 1.5
_AGE_DAYS, _MOST_AGE = 30, 1.5
_RECENT = timedelta(days=7)
# A burst: so many concerns, and this share of them, within one day of a longer time.
_BURST_LEAST, _BURST_SHARE = 5, 0.6
# A campaign: so many people sent the same words.
_COPIES_LEAST = 3
SHORT_LIST = 20


@dataclass(frozen=True, slots=True)
class Voice:
    """What ranking knows of one concern: who stands behind it, folded words, where and when."""

    people: frozenset[int]
    folded: str
    unit_code: str
    at: datetime
    same_words: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """`total` is the sum of `parts`; `flags` are shown beside, never taken off silently."""

    total: float
    parts: dict[str, float]
    people: int
    recent: int
    flags: tuple[str, ...]


def score(voices: Sequence[Voice], *, promised: bool, now: datetime) -> Score:
    """The score of one topic; people count once however often they wrote."""
    people = len(frozenset().union(*(voice.people for voice in voices)))
    recent = sum(now - voice.at <= _RECENT for voice in voices)
    oldest = max(0, (now - min(voice.at for voice in voices)).days)
    parts = {
        "people": math.log2(1 + people),
        "harm": _HARM * _share(voices, "harm"),
        "urgent": _URGENT * _share(voices, "urgent"),
        "growth": _GROWTH * math.log2(1 + recent) if recent < len(voices) else 0.0,
        "age": min(oldest / _AGE_DAYS, _MOST_AGE),
        "promised": _PROMISED if promised else 0.0,
    }
    parts = {name: round(part, 3) for name, part in parts.items()}
    return Score(round(sum(parts.values()), 3), parts, people, recent, tuple(_flags(voices)))


def order(scores: Sequence[Score], places: Sequence[Iterable[str]]) -> tuple[list[int], frozenset[int]]:
    """Positions from the first to ask to the last, and those that are on the short list for their commune's sake.

    Every commune is heard: one that no topic of the first `SHORT_LIST` mentions gets its best topic right after them.
    """
    ranked = sorted(range(len(scores)), key=lambda n: (-scores[n].total, n))
    first, rest = ranked[:SHORT_LIST], ranked[SHORT_LIST:]
    heard = {unit for n in first for unit in places[n]}
    lifted: list[int] = []
    for n in rest:
        missing = set(places[n]) - heard
        if missing:
            lifted.append(n)
            heard |= missing
    raised = frozenset(lifted)
    return [*first, *lifted, *(n for n in rest if n not in raised)], raised


def _share(voices: Sequence[Voice], kind: str) -> float:
    hits = sum(_says(voice.folded, kind) for voice in voices)
    return hits / len(voices)


def _says(folded: str, kind: str) -> bool:
    padded = f" {' '.join(folded.split())} "
    return any(phrase in padded for phrase in _phrases()[kind])


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    raw: dict[str, Any] = tomllib.loads(files("core.topics").joinpath("urgency.toml").read_text("utf-8"))
    return {kind: tuple(f" {phrase} " for phrase in phrases) for kind, phrases in raw.items()}


def _flags(voices: Sequence[Voice]) -> Iterable[str]:
    days = Counter(voice.at.date() for voice in voices)
    top = max(days.values())
    span = max(voice.at for voice in voices) - min(voice.at for voice in voices)
    if top >= _BURST_LEAST and top >= _BURST_SHARE * len(voices) and span > timedelta(days=2):
        yield "burst"
    copies: dict[str, set[int]] = defaultdict(set)
    for voice in voices:
        if voice.same_words:
            copies[voice.same_words] |= voice.people
    if any(len(people) >= _COPIES_LEAST for people in copies.values()):
        yield "campaign"

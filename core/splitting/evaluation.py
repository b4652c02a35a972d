"""Measuring the split on rows `{"text", "parts": […]}`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.places.tokens import tokenize
from core.splitting.split import Judge, split_matters
from core.splitting.topics import connectives
from core.text.normal import clean

SAME_WORDS = 0.8


@dataclass(frozen=True, slots=True)
class SplitRow:
    """`parts` are the matters as a person would cut the text."""

    text: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitScore:
    """Shares of rows: `exact` cut as expected, `over_split` into more parts, `under_split` into fewer.

    `single_split` is the share of one-matter rows that were cut (None without such rows).
    """

    n: int
    exact: float | None
    over_split: float | None
    under_split: float | None
    single_split: float | None
    wrong_rows: tuple[int, ...]


def evaluate_split(rows: Iterable[SplitRow], judge: Judge | None = None) -> SplitScore:
    """Cut every row and compare; row numbers start at 0."""
    wrong: list[int] = []
    n = over = under = singles = singles_cut = 0
    for number, row in enumerate(rows):
        n += 1
        found = [part.text for part in split_matters(row.text, judge)]
        over += len(found) > len(row.parts)
        under += len(found) < len(row.parts)
        singles += len(row.parts) == 1
        singles_cut += len(row.parts) == 1 < len(found)
        if not same_parts(found, row.parts):
            wrong.append(number)
    return SplitScore(
        n,
        _share(n - len(wrong), n),
        _share(over, n),
        _share(under, n),
        _share(singles_cut, singles),
        tuple(wrong),
    )


def same_parts(found: Sequence[str], expected: Sequence[str]) -> bool:
    """As many parts, and each shares at least four in five of its words with its counterpart.

    Numbering, connectives and punctuation at the border may fall on either side.
    """
    return len(found) == len(expected) and all(
        _overlap(one, other) >= SAME_WORDS for one, other in zip(found, expected, strict=True)
    )


def _overlap(one: str, other: str) -> float:
    words, others = _words(one), _words(other)
    shared = sum(min(words.count(w), others.count(w)) for w in set(words))
    return 2 * shared / max(len(words) + len(others), 1)


def _words(text: str) -> list[str]:
    light = {word for phrase in connectives()["another"] for word in phrase} | {"con", "va"}
    folded = [t.folded for t in tokenize(clean(text))]
    while len(folded) > 3 and (folded[0] in light or folded[0].isdigit()):
        folded = folded[1:]
    return folded


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None

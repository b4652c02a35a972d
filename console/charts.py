"""Charts as SVG made here: horizontal bars with their numbers written beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ROW, _BAR, _LABEL, _WIDTH = 30, 18, 220, 700
_VALUE = 70
_LETTERS = 28


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; lengths in units of the drawing."""

    label: str
    value: int
    y: int
    length: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of `width` × `height` units with bars that begin at `left`."""

    bars: Sequence[Bar]
    width: int
    height: int
    left: int
    bar: int


def bars(rows: Sequence[tuple[str, int]], *, most: int = 20) -> Chart:
    """The first `most` rows as bars, the longest over the whole width; labels are cut at a word's length."""
    shown = list(rows)[:most]
    top = max((value for _, value in shown), default=0) or 1
    space = _WIDTH - _LABEL - _VALUE
    made = [
        Bar(_cut(label), value, number * _ROW + 5, round(space * value / top, 1))
        for number, (label, value) in enumerate(shown)
    ]
    return Chart(made, _WIDTH, max(1, len(made)) * _ROW, _LABEL, _BAR)


def _cut(label: str) -> str:
    return label if len(label) <= _LETTERS else label[: _LETTERS - 1].rstrip() + "…"

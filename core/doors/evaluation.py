"""Measuring the door rules on rows `{"text", "door"}`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.doors.check import DOORS, Door, check_door
from core.doors.model import DoorModel


@dataclass(frozen=True, slots=True)
class DoorRow:
    """One labelled message."""

    text: str
    door: Door


@dataclass(frozen=True, slots=True)
class DoorScore:
    """Recall and precision by door (None where there is nothing to divide by).

    `false_alarms` is the share of normal rows sent to another door, `confusions` counts (right, suggested).
    """

    n: int
    recall: Mapping[Door, float | None]
    precision: Mapping[Door, float | None]
    false_alarms: float | None
    confusions: Mapping[tuple[Door, Door], int]


def evaluate_doors(rows: Iterable[DoorRow], *, model: DoorModel) -> DoorScore:
    """Check every row and compare."""
    pairs = Counter((row.door, check_door(row.text, model=model).door) for row in rows)
    right = Counter[str]()
    suggested = Counter[str]()
    for (door, guess), count in pairs.items():
        right[door] += count
        suggested[guess] += count
    recall = {door: _share(pairs[door, door], right[door]) for door in DOORS}
    precision = {door: _share(pairs[door, door], suggested[door]) for door in DOORS}
    alarms = _share(right["normal"] - pairs["normal", "normal"], right["normal"])
    wrong = {(door, guess): count for (door, guess), count in sorted(pairs.items()) if door != guess}
    return DoorScore(sum(right.values()), recall, precision, alarms, wrong)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None

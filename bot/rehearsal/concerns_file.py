"""Read the concerns of a rehearsal: one JSON object a line with `id` and `text`; unknown keys are ignored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core.text.normal import clean


@dataclass(frozen=True, slots=True)
class FileConcern:
    """One concern to be told; `key` is its id in the file, or its line number."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was skipped; `why` is `not_json`, `not_object` or `no_text`."""

    number: int
    why: str


def read_concerns(path: Path) -> tuple[list[FileConcern], list[BadLine]]:
    """All readable concerns in order, and the lines that are not. Empty lines are nothing."""
    concerns: list[FileConcern] = []
    bad: list[BadLine] = []
    for number, line in enumerate(path.read_text("utf-8-sig", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            bad.append(BadLine(number, "not_json"))
            continue
        if not isinstance(row, dict):
            bad.append(BadLine(number, "not_object"))
        elif not isinstance(row.get("text"), str) or not clean(row["text"]):
            bad.append(BadLine(number, "no_text"))
        else:
            concerns.append(FileConcern(str(row.get("id", number)), row["text"]))
    return concerns, bad

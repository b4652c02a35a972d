"""Rows of an evaluation file: one JSON object a line; bad lines are reported by number, never dropped in
silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.cli.console import fail, note

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be used: `line` counts from 1, `reason` is for people and quotes no text."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class EvaluationFile:
    """The usable rows of a file with their line numbers, and the lines that were not usable."""

    rows: list[Any]
    lines: list[int]
    bad: list[BadLine]

    def bad_lines(self) -> list[dict[str, object]]:
        """The bad lines for JSON."""
        return [asdict(line) for line in self.bad]


def read_rows(path: Path, parse: Callable[[dict[str, Any]], Row]) -> EvaluationFile:
    """Parse a JSON Lines file; `parse` raises `ValueError` with the reason. Blank lines mean nothing.

    Bad lines are named on stderr. A file that is not readable UTF-8 text ends the command.
    """
    try:
        content = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        fail("evaluate.unreadable", f"Không đọc được tệp {path.name}")
    found = EvaluationFile([], [], [])
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.rows.append(parse(_object(line)))
            found.lines.append(number)
        except ValueError as error:
            found.bad.append(BadLine(number, str(error)))
            note(f"Dòng {number}: {error}")
    return found


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        raise ValueError("không phải JSON") from None
    if not isinstance(value, dict):
        raise ValueError("không phải một đối tượng JSON")
    return value


def text_of(row: dict[str, Any], key: str = "text") -> str:
    """A text field that must be there and hold something; raises `ValueError`."""
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"thiếu «{key}»")
    return value


def note_lines(what: str, lines: list[int]) -> None:
    """Name the lines that were judged wrong, on stderr: numbers only, the texts are sensitive."""
    if lines:
        note(f"{what}: dòng " + ", ".join(str(line) for line in lines))

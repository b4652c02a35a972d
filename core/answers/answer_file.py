"""Read answers from a spreadsheet: the exported table filled in, or a simple list of codes and answers."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.text.normal import clean, fold

_HEADERS = {
    "key": ("nhom", "ma nhom"),
    "codes": ("ma y kien", "ma", "cac ma"),
    "text": ("tra loi", "noi dung tra loi", "cau tra loi"),
    "answered_by": ("don vi tra loi", "don vi", "co quan tra loi"),
    "basis": ("can cu",),
    "due": ("han giai quyet", "han", "thoi han"),
}
_CODE = re.compile(r"[A-ZĐ]{1,4}-\d{2}-\d{5,}")
_HEADER_WITHIN_ROWS = 20


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer of the file. Either a topic `key` (`T12`, `C7`) or receipt codes say what it is for."""

    row: int
    key: str
    codes: tuple[str, ...]
    text: str
    answered_by: str
    basis: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in which row; `code` is a key of the staff catalogue's `answer_problem`."""

    row: int
    code: str
    value: str = ""


def read(path: Path) -> tuple[list[AnswerRow], list[Problem]]:
    """Answers of the first sheet with the right header, and everything wrong with it. Rows without an
    answer's text are skipped: they are not filled in yet.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError):
        return [], [Problem(0, "unreadable")]
    try:
        for sheet in book.worksheets:
            rows = [list(row) for row in sheet.iter_rows(values_only=True)]
            header = _find_header(rows)
            if header is not None:
                return _read_rows(rows, header)
    finally:
        book.close()
    return [], [Problem(0, "no_header")]


def _find_header(rows: Sequence[Sequence[Any]]) -> tuple[int, Mapping[str, int]] | None:
    for number, row in enumerate(rows[:_HEADER_WITHIN_ROWS]):
        columns: dict[str, int] = {}
        for position, cell in enumerate(row):
            name = " ".join(fold(str(cell or "")).split())
            for field, names in _HEADERS.items():
                if name in names:
                    columns.setdefault(field, position)
        if "text" in columns and ("codes" in columns or "key" in columns):
            return number, columns
    return None


def _read_rows(
    rows: Sequence[Sequence[Any]], header: tuple[int, Mapping[str, int]]
) -> tuple[list[AnswerRow], list[Problem]]:
    start, columns = header
    found: list[AnswerRow] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        cells = {name: row[at] if at < len(row) else None for name, at in columns.items()}
        text = clean(str(cells.get("text") or ""))
        if not text:
            continue
        key = clean(str(cells.get("key") or "")).upper()
        codes = tuple(dict.fromkeys(_CODE.findall(str(cells.get("codes") or "").upper())))
        due_on, bad_date = _date(cells.get("due"))
        if bad_date:
            problems.append(Problem(number, "bad_date", bad_date))
        if not key and not codes:
            problems.append(Problem(number, "no_code"))
        found.append(
            AnswerRow(number, key, codes, text, _short(cells, "answered_by"), _short(cells, "basis"), due_on)
        )
    return found, problems


def _short(cells: Mapping[str, Any], name: str) -> str:
    return clean(str(cells.get(name) or ""))[:200]


def _date(value: Any) -> tuple[date | None, str]:
    if value in (None, ""):
        return None, ""
    if isinstance(value, datetime):
        return value.date(), ""
    if isinstance(value, date):
        return value, ""
    for pattern in ("%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(str(value).strip(), pattern).date(), ""  # noqa: DTZ007  # A plain day.
        except ValueError:
            continue
    return None, str(value)[:40]

"""XLSX to work in and to fill answers into; CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from core.agenda.document import AgendaDocument, TopicItem
from core.documents.safe_text import inert, printable
from core.wording import STAFF

# Fixed, so that the same snapshot gives the same file.
_CREATED = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def write_json(document: AgendaDocument, path: Path) -> None:
    """The snapshot as it is kept."""
    text = json.dumps(document.dump(), ensure_ascii=False, indent=1) + "\n"
    path.write_bytes(text.encode("utf-8", "replace"))


def write_csv(document: AgendaDocument, path: Path) -> None:
    """One row per concern, with a byte-order mark so that Excel reads Vietnamese.

    What is not listed follows with its reason; what may only be counted has a row without a code.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([STAFF.say(f"column.{c}") for c in _CSV_COLUMNS])
        for part in document.fields:
            for topic in part.topics:
                for line in topic.concerns:
                    row = (part.label, topic.key, topic.label, line.code, line.text, line.place)
                    writer.writerow([*(inert(v) for v in row), line.people, line.submitted_on, ""])
        for left_out in document.not_listed:
            for code in left_out.codes:
                writer.writerow(["", "", "", code, "", "", "", "", left_out.explanation])
            if not left_out.codes:
                reason = f"{left_out.explanation} ({left_out.count})"
                writer.writerow(["", "", "", "", "", "", "", "", reason])


_CSV_COLUMNS = ("field", "key", "topic", "code", "text", "place", "people", "submitted", "not_listed")
# Points of one printed line at 12 points, and the highest row a sheet can have.
_LINE_HEIGHT, _HIGHEST_ROW = 16, 409
# The most that one cell of a sheet holds; XlsxWriter drops a longer text silently.
_CELL_LIMIT = 32_767


def write_xlsx(document: AgendaDocument, path: Path) -> None:
    """Three sheets: topics with columns for the answer, concerns, and what is not listed.

    The first sheet comes back through `nghedan answer import`: its key column names the topic.
    """
    book = xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": printable(document.session.title), "created": _CREATED})
    sheets = _Sheets(book, document)
    _topics_sheet(sheets, document)
    _concerns_sheet(sheets, document)
    _not_listed_sheet(sheets, document)
    book.close()


class _Sheets:
    """A workbook in which every sheet has the same look and prints on A4 across, its header on each page."""

    def __init__(self, book: Any, document: AgendaDocument) -> None:
        self._book = book
        self._widths: dict[Any, list[int]] = {}
        self._print_title = _for_print(document.session.title)
        plain = {"font_name": "Times New Roman", "font_size": 12, "border": 1, "text_wrap": True}
        centred = {"align": "center", "valign": "top"}
        self._head = book.add_format(
            plain | {"bold": True, "align": "center", "valign": "vcenter", "bg_color": "#E8EEF4"}
        )
        self.cell = book.add_format(plain | {"valign": "top"})
        self.centre = book.add_format(plain | centred)
        self.fill = book.add_format(plain | {"valign": "top", "bg_color": "#FFF9E5"})
        self.fill_date = book.add_format(
            plain | centred | {"bg_color": "#FFF9E5", "num_format": "dd/mm/yyyy"}
        )

    def add(self, name: str, columns: Sequence[tuple[str, int]], *, rows: int) -> Any:
        """A sheet with its header row, column widths in characters, and `rows` rows to filter."""
        sheet = self._book.add_worksheet(STAFF.say(f"sheet.{name}"))
        self._widths[sheet] = [width for _, width in columns]
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)
        sheet.set_row(0, 34)
        for number, (key, width) in enumerate(columns):
            sheet.set_column(number, number, width)
            sheet.write_string(0, number, STAFF.say(f"column.{key}"), self._head)
        self._set_up_printing(sheet, name)
        return sheet

    def _set_up_printing(self, sheet: Any, name: str) -> None:
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.6, right=0.6, top=0.9, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        heading = STAFF.say(f"sheet.{name}_heading")
        sheet.set_header(
            f'&C&"Times New Roman,Bold"&12{heading}\n&"Times New Roman,Regular"{self._print_title}'
        )
        sheet.set_footer(f'&C&"Times New Roman,Regular"&10{STAFF.say("sheet.page")}')

    def texts(self, sheet: Any, row: int, cells: Mapping[int, str]) -> None:
        """String cells by column, in a row high enough to read them; a text that no cell can hold is cut, and says so.

        Spreadsheet programs do not agree on fitting the height of a row when a file is opened.
        """
        lines = 1
        for column, text in cells.items():
            clean = printable(text)
            if len(clean) > _CELL_LIMIT:
                mark = STAFF.say("sheet.cut")
                clean = clean[: _CELL_LIMIT - len(mark)] + mark
            sheet.write_string(row, column, clean, self.cell)
            lines = max(lines, _lines(clean, self._widths[sheet][column]))
        sheet.set_row(row, min(_LINE_HEIGHT * lines + 2, _HIGHEST_ROW))


def _lines(text: str, width: int) -> int:
    """Printed lines of a text in a column of so many characters, a little generous."""
    return sum(1 + len(paragraph) // max(width - 1, 1) for paragraph in text.split("\n"))


def _for_print(title: str) -> str:
    """A title for a page header, where `&` begins a command and 255 characters are the most."""
    return " ".join(printable(title).split())[:120].replace("&", "&&")


def _topics_sheet(sheets: _Sheets, document: AgendaDocument) -> None:
    columns = (
        ("key", 8), ("field", 16), ("topic", 30), ("quote", 46), ("people", 8), ("place", 24), ("codes", 16),
        ("answer", 54), ("answered_by", 20), ("basis", 20), ("due", 13),
    )  # fmt: skip
    sheet = sheets.add("topics", columns, rows=document.topic_count)
    row = 0
    for part in document.fields:
        for topic in part.topics:
            row += 1
            texts = (topic.key, part.label, topic.label, topic.quote)
            places, codes = "; ".join(topic.places), _codes(topic)
            sheets.texts(sheet, row, dict(enumerate(texts)) | {5: places, 6: codes})
            sheet.write_number(row, 4, topic.people, sheets.centre)
            for number in range(7, 10):
                sheet.write_blank(row, number, None, sheets.fill)
            sheet.write_blank(row, 10, None, sheets.fill_date)


def _codes(topic: TopicItem) -> str:
    """All codes, or none: an import takes codes for the whole list, and falls back to the topic's key."""
    codes = ", ".join(topic.codes)
    if len(codes) <= _CELL_LIMIT:
        return codes
    return STAFF.say("sheet.codes_elsewhere", count=len(topic.codes))


def _concerns_sheet(sheets: _Sheets, document: AgendaDocument) -> None:
    columns = (
        ("code", 15), ("field", 18), ("key", 8), ("text", 84), ("place", 30), ("people", 8), ("submitted", 13),
    )  # fmt: skip
    sheet = sheets.add("concerns", columns, rows=document.concern_count)
    row = 0
    for part in document.fields:
        for topic in part.topics:
            for line in topic.concerns:
                row += 1
                texts = (line.code, part.label, topic.key, line.text, line.place)
                sheets.texts(sheet, row, dict(enumerate(texts)))
                sheet.write_number(row, 5, line.people, sheets.centre)
                sheet.write_string(row, 6, _day(line.submitted_on), sheets.centre)


def _not_listed_sheet(sheets: _Sheets, document: AgendaDocument) -> None:
    columns = (("reason", 60), ("count", 10), ("codes", 80))
    sheet = sheets.add("not_listed", columns, rows=len(document.not_listed))
    for row, left_out in enumerate(document.not_listed, start=1):
        sheets.texts(sheet, row, {0: left_out.explanation, 2: ", ".join(left_out.codes)})
        sheet.write_number(row, 1, left_out.count, sheets.centre)


def _day(iso: str) -> str:
    return f"{date.fromisoformat(iso):%d/%m/%Y}"

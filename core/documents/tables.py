"""XLSX to work in and to fill answers into; CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from core.agenda.document import AgendaDocument
from core.documents.safe_text import inert, printable
from core.wording import STAFF

# Fixed, so that the same snapshot gives the same file.
_CREATED = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def write_json(document: AgendaDocument, path: Path) -> None:
    """The snapshot as it is kept."""
    path.write_text(json.dumps(document.dump(), ensure_ascii=False, indent=1) + "\n", "utf-8")


def write_csv(document: AgendaDocument, path: Path) -> None:
    """One row per concern, with a byte-order mark so that Excel reads Vietnamese."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([STAFF.say(f"column.{c}") for c in _CSV_COLUMNS])
        for part in document.fields:
            for topic in part.topics:
                for line in topic.concerns:
                    row = (part.label, topic.key, topic.label, line.code, line.text, line.place)
                    writer.writerow([*(inert(v) for v in row), line.people, line.submitted_on])


_CSV_COLUMNS = ("field", "key", "topic", "code", "text", "place", "people", "submitted")


def write_xlsx(document: AgendaDocument, path: Path) -> None:
    """Three sheets: topics with columns for the answer, concerns, and what is not listed.

    The first sheet comes back through `nghedan answer import`: its key column names the topic.
    """
    book = xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": printable(document.session.title), "created": _CREATED})
    styles = {
        "head": book.add_format(
            {"bold": True, "text_wrap": True, "border": 1, "bg_color": "#E8EEF4", "valign": "vcenter"}
        ),
        "cell": book.add_format({"text_wrap": True, "border": 1, "valign": "top"}),
        "fill": book.add_format({"text_wrap": True, "border": 1, "valign": "top", "bg_color": "#FFF9E5"}),
    }
    _topics_sheet(book, styles, document)
    _concerns_sheet(book, styles, document)
    _not_listed_sheet(book, styles, document)
    book.close()


def _sheet(book: Any, styles: dict[str, Any], name: str, columns: list[tuple[str, int]]) -> Any:
    sheet = book.add_worksheet(STAFF.say(f"sheet.{name}"))
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for number, (key, width) in enumerate(columns):
        sheet.set_column(number, number, width)
        sheet.write_string(0, number, STAFF.say(f"column.{key}"), styles["head"])
    return sheet


def _topics_sheet(book: Any, styles: dict[str, Any], document: AgendaDocument) -> None:
    columns = [
        ("key", 8), ("field", 18), ("topic", 34), ("quote", 50), ("people", 8), ("place", 26), ("codes", 24),
        ("answer", 60), ("answered_by", 24), ("basis", 24), ("due", 14),
    ]  # fmt: skip
    sheet = _sheet(book, styles, "topics", columns)
    row = 0
    for part in document.fields:
        for topic in part.topics:
            row += 1
            texts = [topic.key, part.label, topic.label, topic.quote]
            for number, text in enumerate(texts):
                sheet.write_string(row, number, printable(text), styles["cell"])
            sheet.write_number(row, 4, topic.people, styles["cell"])
            sheet.write_string(row, 5, printable("; ".join(topic.places)), styles["cell"])
            sheet.write_string(row, 6, ", ".join(topic.codes), styles["cell"])
            for number in range(7, 11):
                sheet.write_blank(row, number, None, styles["fill"])


def _concerns_sheet(book: Any, styles: dict[str, Any], document: AgendaDocument) -> None:
    columns = [
        ("code", 14),
        ("field", 18),
        ("key", 8),
        ("text", 80),
        ("place", 30),
        ("people", 8),
        ("submitted", 12),
    ]
    sheet = _sheet(book, styles, "concerns", columns)
    row = 0
    for part in document.fields:
        for topic in part.topics:
            for line in topic.concerns:
                row += 1
                texts = [line.code, part.label, topic.key, line.text, line.place]
                for number, text in enumerate(texts):
                    sheet.write_string(row, number, printable(text), styles["cell"])
                sheet.write_number(row, 5, line.people, styles["cell"])
                sheet.write_string(row, 6, line.submitted_on, styles["cell"])


def _not_listed_sheet(book: Any, styles: dict[str, Any], document: AgendaDocument) -> None:
    sheet = _sheet(book, styles, "not_listed", [("reason", 60), ("count", 10), ("codes", 60)])
    for row, left_out in enumerate(document.not_listed, start=1):
        sheet.write_string(row, 0, left_out.explanation, styles["cell"])
        sheet.write_number(row, 1, left_out.count, styles["cell"])
        sheet.write_string(row, 2, ", ".join(left_out.codes), styles["cell"])

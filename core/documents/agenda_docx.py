"""The agenda to print: A4, Times New Roman, header and signature as borderless tables, rules as borders.

Layout: Decree 30/2020/NĐ-CP, Annex I (state bodies). Further official layouts build on the same values.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from core.agenda.document import AgendaDocument, FieldPart, TopicItem
from core.documents.safe_text import printable
from core.wording import STAFF

_CENTRE, _JUSTIFY = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY
_WIDTHS_MM = (12, 88, 18, 47)
_EPOCH = (2026, 1, 1, 0, 0, 0)


def write_docx(document: AgendaDocument, path: Path) -> None:
    """Write the agenda; the same document gives the same bytes."""
    word = Document()
    _page(word)
    _header(word, document)
    _title(word, document)
    for number, part in enumerate(document.fields, start=1):
        _field(word, number, part)
    _left_out(word, document)
    _signature(word)
    word.core_properties.created = datetime(2026, 1, 1)  # noqa: DTZ001  # The format has naive times.
    word.core_properties.modified = datetime(2026, 1, 1)  # noqa: DTZ001
    word.core_properties.author = ""
    word.core_properties.title = printable(document.session.title)
    raw = path.with_suffix(".raw")
    word.save(str(raw))
    _with_fixed_times(raw, path)
    raw.unlink()


def _with_fixed_times(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            new.writestr(zipfile.ZipInfo(name, _EPOCH), old.read(name), zipfile.ZIP_DEFLATED)


def _page(word: Any) -> None:
    section = word.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.different_first_page_header_footer = True
    style = word.styles["Normal"]
    style.font.name = "Times New Roman"
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "Times New Roman")
    style.font.size = Pt(13)
    style.paragraph_format.space_after = Pt(6)
    number = section.header.paragraphs[0]
    number.alignment = _CENTRE
    _page_number(number)


def _page_number(paragraph: Any) -> None:
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)


def _header(word: Any, document: AgendaDocument) -> None:
    table = word.add_table(rows=2, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    _widths(table, (62, 103))
    session = document.session
    left, right = table.rows[0].cells
    parent = session.province if session.province != session.unit else ""
    if parent:
        _put(left.paragraphs[0], parent.upper(), size=12, align=_CENTRE)
        _put(left.add_paragraph(), session.unit.upper(), size=12, bold=True, align=_CENTRE)
    else:
        _put(left.paragraphs[0], session.unit.upper(), size=12, bold=True, align=_CENTRE)
    _rule(left.paragraphs[-1], share=0.4)
    _put(right.paragraphs[0], STAFF.say("document.country"), size=12, bold=True, align=_CENTRE)
    _put(right.add_paragraph(), STAFF.say("document.motto"), size=13, bold=True, align=_CENTRE)
    _rule(right.paragraphs[-1], share=0.25)
    number, date = table.rows[1].cells
    _put(number.paragraphs[0], STAFF.say("document.number"), size=13, align=_CENTRE)
    _put(date.paragraphs[0], _date_line(document), size=13, italic=True, align=_CENTRE)


def _date_line(document: AgendaDocument) -> str:
    held = datetime.fromisoformat(document.session.held_at)
    place = document.session.province
    for kind in ("Tỉnh ", "Thành phố "):
        place = place.removeprefix(kind)
    return STAFF.say("document.date", place=place, year=held.year)


def _title(word: Any, document: AgendaDocument) -> None:
    session = document.session
    held = datetime.fromisoformat(session.held_at)
    _put(word.add_paragraph(), STAFF.say("document.title"), size=14, bold=True, align=_CENTRE)
    subtitle = STAFF.say("document.subtitle", title=session.title)
    paragraph = word.add_paragraph()
    _put(paragraph, printable(subtitle), size=14, bold=True, align=_CENTRE)
    _rule(paragraph, share=0.35)
    summary = STAFF.say(
        "document.summary",
        hour=held.hour,
        minute=f" {held.minute:02d}" if held.minute else "",
        day=f"{held:%d/%m/%Y}",
        place=session.place or STAFF.say("document.place_unset"),
        chair=session.chair or STAFF.say("document.chair_unset"),
        topics=document.topic_count,
        concerns=document.concern_count,
        people=document.people,
    )
    for line in summary.split("\n"):
        paragraph = word.add_paragraph()
        paragraph.paragraph_format.first_line_indent = Mm(10)
        _put(paragraph, printable(line), align=_JUSTIFY)


def _field(word: Any, number: int, part: FieldPart) -> None:
    heading = word.add_paragraph()
    heading.paragraph_format.space_before = Pt(10)
    heading.paragraph_format.keep_with_next = True
    _put(
        heading,
        STAFF.say("document.field", number=_roman(number), label=part.label.upper(), topics=len(part.topics)),
        bold=True,
    )
    table = word.add_table(rows=1, cols=4)
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    _widths(table, _WIDTHS_MM)
    for cell, key in zip(table.rows[0].cells, ("order", "content", "people", "codes"), strict=True):
        _put(cell.paragraphs[0], STAFF.say(f"column.{key}"), size=12, bold=True, align=_CENTRE)
    _repeat_header(table.rows[0])
    for order, topic in enumerate(part.topics, start=1):
        _topic(table, order, topic)


def _topic(table: Any, order: int, topic: TopicItem) -> None:
    row = table.add_row()
    _no_split(row)
    for cell, width in zip(row.cells, _WIDTHS_MM, strict=True):
        cell.width = Mm(width)
    first, content, people, codes = row.cells
    _put(first.paragraphs[0], str(order), size=12, align=_CENTRE)
    _put(content.paragraphs[0], printable(topic.label), size=12, bold=True)
    _put(content.add_paragraph(), f"“{printable(topic.quote)}”", size=12, italic=True)
    _put(content.add_paragraph(), printable("; ".join(topic.places)), size=11)
    _put(people.paragraphs[0], str(topic.people), size=12, align=_CENTRE)
    _put_codes(codes.paragraphs[0], topic.codes)


def _put_codes(paragraph: Any, codes: Sequence[str]) -> None:
    """Codes that break between lines only at their commas, and are still found by searching for them."""
    for number, code in enumerate(codes):
        for part, piece in enumerate(code.split("-")):
            run = paragraph.add_run()
            run.font.size = Pt(11)
            if part:
                run._r.append(OxmlElement("w:noBreakHyphen"))
            run.add_text(piece)
        if number < len(codes) - 1:
            paragraph.add_run(", ").font.size = Pt(11)


def _left_out(word: Any, document: AgendaDocument) -> None:
    if not document.not_listed:
        return
    heading = word.add_paragraph()
    heading.paragraph_format.space_before = Pt(10)
    heading.paragraph_format.keep_with_next = True
    _put(heading, STAFF.say("document.not_listed"), bold=True)
    for left_out in document.not_listed:
        codes = f": {', '.join(left_out.codes)}" if left_out.codes else ""
        text = STAFF.say("document.left_out", why=left_out.explanation, count=left_out.count, codes=codes)
        _put(word.add_paragraph(), printable(text), align=_JUSTIFY)


def _signature(word: Any) -> None:
    word.add_paragraph()
    table = word.add_table(rows=1, cols=2)
    _widths(table, (80, 85))
    _no_split(table.rows[0])
    left, right = table.rows[0].cells
    _put(left.paragraphs[0], STAFF.say("document.recipients"), size=12, bold=True, italic=True)
    for line in STAFF.say("document.recipient_lines").split("\n"):
        paragraph = left.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        _put(paragraph, line, size=11)
    _put(right.paragraphs[0], STAFF.say("document.signer"), bold=True, align=_CENTRE)
    for _ in range(4):
        right.add_paragraph()


def _put(
    paragraph: Any,
    text: str,
    *,
    size: int = 13,
    bold: bool = False,
    italic: bool = False,
    align: Any = None,
) -> None:
    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    run.bold, run.italic = bold, italic
    paragraph.paragraph_format.space_after = Pt(3)
    if align is not None:
        paragraph.alignment = align


def _rule(paragraph: Any, *, share: float) -> None:
    """A short line under a centred paragraph: a bottom border between indents, never underlining."""
    width = 70 if share < 0.3 else 60
    indent = Mm(width * (1 - share) / 2)
    line = OxmlElement("w:p")
    paragraph._p.addnext(line)
    properties = OxmlElement("w:pPr")
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    indents = OxmlElement("w:ind")
    for side in ("left", "right"):
        indents.set(qn(f"w:{side}"), str(int(indent.twips)))
    spacing = OxmlElement("w:spacing")
    for name, value in (("before", "0"), ("after", "0"), ("line", "120"), ("lineRule", "exact")):
        spacing.set(qn(f"w:{name}"), value)
    properties.extend([borders, spacing, indents])
    line.append(properties)


def _widths(table: Any, widths_mm: tuple[int, ...]) -> None:
    """Fixed widths, in the grid as well as the cells: Word reads the cells, LibreOffice the grid."""
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(width)


def _repeat_header(row: Any) -> None:
    element = OxmlElement("w:tblHeader")
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(element)


def _no_split(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _roman(number: int) -> str:
    values = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for value, letters in values:
        while number >= value:
            text += letters
            number -= value
    return text

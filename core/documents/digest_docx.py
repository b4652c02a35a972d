"""The digest to print: one A4 page, Times New Roman, a native chart."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from core.digest.page import Digest, DigestTopic
from core.documents import digest_words as words
from core.documents.bar_chart import Series, add_bar_chart
from core.documents.safe_text import printable
from core.wording import STAFF

_CENTRE = WD_ALIGN_PARAGRAPH.CENTER
_TOPIC_WIDTHS_MM = (11, 117, 14, 43)
_HALVES_MM = (92, 93)
# Longer names of fields would run into each other beside the bars.
_NAME = 24
_GREY = RGBColor(0x55, 0x55, 0x55)
_RED = RGBColor(0xA6, 0x3A, 0x00)
_BLUE, _PALE = "1F4E79", "B7C9DC"


def write_digest_docx(digest: Digest, path: Path) -> None:
    """Write the page."""
    word = Document()
    _page(word)
    _put(word.add_paragraph(), STAFF.say("digest.heading"), size=13, bold=True, align=_CENTRE)
    _put(word.add_paragraph(), printable(digest.title), size=11.5, bold=True, align=_CENTRE)
    _put(word.add_paragraph(), words.when(digest), size=9.5, grey=True, align=_CENTRE)
    _figures(word, digest)
    _heading(word.add_paragraph(), words.top_heading(digest))
    _topics(word, digest.top)
    chart, hot = _halves(word)
    _heading(chart.paragraphs[0], STAFF.say("digest.chart"))
    _chart(word, chart, digest)
    _heading(hot.paragraphs[0], STAFF.say("digest.hot"))
    _lines(hot, [words.hot_line(spot) for spot in digest.hot])
    new, promised = _halves(word)
    _heading(new.paragraphs[0], STAFF.say("digest.new", count=words.number(digest.new_count)))
    _lines(new, words.new_lines(digest))
    _heading(promised.paragraphs[0], STAFF.say("digest.promised", count=words.number(digest.promise_count)))
    _lines(promised, words.promise_lines(digest))
    _put(word.add_paragraph(), STAFF.say("digest.footer"), size=8, grey=True, before=3)
    word.core_properties.author = ""
    word.core_properties.title = printable(digest.title)
    made = digest.made_at.replace(tzinfo=None)
    word.core_properties.created = word.core_properties.modified = made
    word.save(str(path))


def _page(word: Any) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(11)
    section.left_margin, section.right_margin = Mm(13), Mm(12)
    style = word.styles["Normal"]
    style.font.name = "Times New Roman"
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "Times New Roman")
    style.font.size = Pt(10)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = 1.0


def _figures(word: Any, digest: Digest) -> None:
    table = _table(word, 1, (46, 46, 46, 47))
    for cell, (count, what, before) in zip(table.rows[0].cells, words.figures(digest), strict=True):
        paragraph = cell.paragraphs[0]
        _put(paragraph, count, size=16, bold=True, align=_CENTRE, before=2)
        _add(paragraph, f" {what}", size=10)
        _put(cell.add_paragraph(), before, size=8, grey=True, align=_CENTRE)


def _topics(word: Any, topics: Sequence[DigestTopic]) -> None:
    if not topics:
        _put(word.add_paragraph(), STAFF.say("digest.nothing"))
        return
    table = _table(word, 1, _TOPIC_WIDTHS_MM, style="Table Grid")
    heads = ("column.order", "column.topic", "digest.column_people", "digest.column_score")
    for cell, key in zip(table.rows[0].cells, heads, strict=True):
        _put(cell.paragraphs[0], STAFF.say(key), size=9, bold=True, align=_CENTRE)
    for order, topic in enumerate(topics, start=1):
        cells = table.add_row().cells
        for cell, width in zip(cells, _TOPIC_WIDTHS_MM, strict=True):
            cell.width = Mm(width)
        _topic(cells, order, topic)


def _topic(cells: Sequence[Any], order: int, topic: DigestTopic) -> None:
    number, content, people, score = cells
    _put(number.paragraphs[0], str(order), size=10, align=_CENTRE)
    _put(content.paragraphs[0], printable(topic.label), size=10, bold=True)
    if topic.quote:
        _put(content.add_paragraph(), f"“{printable(topic.quote)}”", size=9, italic=True)
    where = content.add_paragraph()
    _put(where, words.where(topic), size=8, grey=True)
    for flag in words.flags(topic):
        _add(where, f"  [{flag}]", size=8, colour=_RED)
    _put(people.paragraphs[0], words.number(topic.people), size=10, bold=True, align=_CENTRE)
    _put(score.paragraphs[0], words.why(topic), size=8, grey=True)


def _chart(word: Any, cell: Any, digest: Digest) -> None:
    if not digest.bars:
        _lines(cell, [STAFF.say("digest.nothing")])
        return
    series = [Series(STAFF.say("digest.this_session"), [bar.people for bar in digest.bars], _BLUE)]
    if digest.before:
        series.append(Series(STAFF.say("digest.last_session"), [bar.before for bar in digest.bars], _PALE))
    labels = [textwrap.shorten(printable(bar.label), _NAME, placeholder="…") for bar in digest.bars]
    height = min(16 + 6 * len(labels), 54)
    paragraph = cell.add_paragraph()
    add_bar_chart(word, paragraph, labels, series, size_mm=(88, height), says=words.chart_says(digest))


def _halves(word: Any) -> tuple[Any, Any]:
    table = _table(word, 1, _HALVES_MM)
    left, right = table.rows[0].cells
    return left, right


def _lines(cell: Any, lines: Sequence[str]) -> None:
    for line in lines:
        paragraph = cell.add_paragraph()
        _put(paragraph, f"- {line}", size=9, after=1)
        paragraph.paragraph_format.left_indent = Mm(3)
        paragraph.paragraph_format.first_line_indent = Mm(-3)


def _heading(paragraph: Any, text: str) -> None:
    _put(paragraph, text, size=10.5, bold=True, before=5, after=2)
    paragraph.runs[0].font.color.rgb = RGBColor(0x1F, 0x4E, 0x79)


def _table(word: Any, rows: int, widths_mm: tuple[int, ...], *, style: str | None = None) -> Any:
    """Fixed widths, in the grid as well as the cells: Word reads the cells, LibreOffice the grid."""
    table = word.add_table(rows=rows, cols=len(widths_mm))
    if style:
        table.style = style
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(width)
    return table


def _put(
    paragraph: Any,
    text: str,
    *,
    size: float = 10,
    bold: bool = False,
    italic: bool = False,
    grey: bool = False,
    align: Any = None,
    before: float = 0,
    after: float = 0,
) -> None:
    _add(paragraph, text, size=size, bold=bold, italic=italic, colour=_GREY if grey else None)
    paragraph.paragraph_format.space_before = Pt(before)
    paragraph.paragraph_format.space_after = Pt(after)
    if align is not None:
        paragraph.alignment = align


def _add(
    paragraph: Any,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    colour: RGBColor | None = None,
) -> None:
    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    run.bold, run.italic = bold, italic
    if colour is not None:
        run.font.color.rgb = colour

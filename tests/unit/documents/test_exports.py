"""Every format holds every listed concern once, explains the rest, runs nothing and names nobody."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.agenda.document import AgendaDocument
from core.answers import answer_file
from core.documents import FORMATS, export
from core.documents.safe_text import inert, printable
from core.text.normal import clean
from tests.factories.agendas import NOT_LISTED, agenda

CODE = re.compile(r"LC-26-\d{5,}")
# Anything that can be in a stored text, hostile beginnings included.
TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["=1+1", "+84 912", "-5", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "\r=1", "  =1"]),
    st.text(st.characters(categories=["Cc", "Cf", "Co", "Cn"]), max_size=20),
)
RELAXED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _export(document: AgendaDocument, kind: str, folder: Path) -> Path:
    return export(document, kind, folder / f"a.{kind}")


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def _docx_text(path: Path) -> str:
    word = Document(str(path))
    cells = [c.text for table in word.tables for row in table.rows for c in row.cells]
    return "\n".join([*(p.text for p in word.paragraphs), *cells])


def _listed_codes(path: Path, kind: str) -> list[str]:
    if kind == "docx":
        tables = Document(str(path)).tables[1:-1]
        return CODE.findall("\n".join(row.cells[3].text for t in tables for row in t.rows))
    if kind == "xlsx":
        return [str(row[0]) for row in load_workbook(path)["Ý kiến"].iter_rows(min_row=2, values_only=True)]
    if kind == "csv":
        return [row[3] for row in _csv(path)[1:] if not row[8]]
    fields = json.loads(path.read_text("utf-8"))["fields"]
    return [c["code"] for part in fields for t in part["topics"] for c in t["concerns"]]


@pytest.mark.parametrize("kind", FORMATS)
@RELAXED
@given(texts=st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_every_listed_concern_appears_once_whatever_is_written(
    kind: str, texts: list[list[str]], tmp_path: Path
) -> None:
    document = agenda(texts)
    found = Counter(_listed_codes(_export(document, kind, tmp_path), kind))
    wanted = [line.code for part in document.fields for t in part.topics for line in t.concerns]
    assert found == Counter(wanted)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_not_listed_is_explained(kind: str, tmp_path: Path) -> None:
    path = _export(agenda([["Đường hỏng"]]), kind, tmp_path)
    if kind == "docx":
        text = _docx_text(path)
    elif kind == "xlsx":
        text = str(list(load_workbook(path)["Chưa đưa vào"].values))
    else:
        text = path.read_text("utf-8-sig")
    for left_out in NOT_LISTED:
        assert left_out.explanation in text
        assert all(text.count(code) == 1 for code in left_out.codes)
    assert "3" in text


def test_nothing_left_out_needs_no_explanation(tmp_path: Path) -> None:
    path = _export(agenda([["Đường hỏng"]], not_listed=()), "docx", tmp_path)
    assert "CHƯA ĐƯA VÀO" not in _docx_text(path)


@RELAXED
@given(text=TEXTS)
def test_no_csv_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    for row in _csv(_export(agenda([[text]]), "csv", tmp_path)):
        for cell in row:
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


@RELAXED
@given(text=TEXTS)
def test_no_xlsx_cell_is_a_formula_or_a_link(text: str, tmp_path: Path) -> None:
    path = _export(agenda([[text]]), "xlsx", tmp_path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name).decode("utf-8")
            assert "<f>" not in content
            assert "<hyperlink " not in content


@RELAXED
@given(text=st.text(max_size=200))
def test_words_survive_the_way_through_a_sheet_and_csv(text: str, tmp_path: Path) -> None:
    stored = clean(text)
    document = agenda([[stored]])
    in_csv = _csv(_export(document, "csv", tmp_path))[1][4]
    assert in_csv.removeprefix("'") == inert(stored).removeprefix("'")
    sheet = load_workbook(_export(document, "xlsx", tmp_path))["Ý kiến"]
    assert (sheet.cell(2, 4).value or "") == printable(stored)


@given(text=st.text(st.characters(codec=None)))
def test_printable_leaves_only_what_xml_and_utf8_can_hold(text: str) -> None:
    kept = printable(text)
    kept.encode("utf-8")
    assert printable(kept) == kept
    assert not set(kept) & {chr(c) for c in range(0x20) if chr(c) not in "\t\n\r"}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_snapshot_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    document = agenda([["Đường hỏng", "Đường xấu"], ["Nước đục"]])
    first = _export(document, kind, tmp_path).read_bytes()
    again = AgendaDocument.load(json.loads(json.dumps(document.dump())))
    assert again == document
    assert _export(again, kind, tmp_path).read_bytes() == first


@pytest.mark.parametrize("kind", FORMATS)
def test_a_failed_export_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    path = _export(agenda([["Đường hỏng"]]), kind, tmp_path)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        export(None, kind, path)  # type: ignore[arg-type]
    assert path.read_bytes() == before


def test_a_text_longer_than_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    path = _export(agenda([["Đường hỏng. " * 4_000]]), "xlsx", tmp_path)
    cell = load_workbook(path)["Ý kiến"].cell(2, 4).value
    assert cell is not None
    assert len(cell) == 32_767
    assert cell.endswith("(xem đầy đủ trong tệp JSON)")


def test_more_codes_than_a_cell_holds_still_come_back_by_the_topics_key(tmp_path: Path) -> None:
    path = _export(agenda([["Đường hỏng"] * 3_000]), "xlsx", tmp_path)
    book = load_workbook(path)
    sheet = book.worksheets[0]
    assert CODE.findall(str(sheet.cell(2, 7).value)) == []
    sheet.cell(2, 8).value = "Sẽ sửa."
    book.save(path)
    rows, problems = answer_file.read(path)
    assert problems == []
    assert [(row.key, row.codes, row.text) for row in rows] == [("T1", (), "Sẽ sửa.")]


def test_the_sheet_prints_on_a4_with_its_header_on_every_page(tmp_path: Path) -> None:
    for sheet in load_workbook(_export(agenda([["Đường hỏng"]]), "xlsx", tmp_path)).worksheets:
        assert int(sheet.page_setup.paperSize) == 9
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.freeze_panes == "B2"
        assert all(sheet.column_dimensions[c].width >= 8 for c in ("A", "B", "C"))


def test_docx_follows_the_layout_of_state_documents(tmp_path: Path) -> None:
    word = Document(str(_export(agenda([["Đường hỏng"]]), "docx", tmp_path)))
    section = word.sections[0]
    in_mm = [round(x.mm) for x in (section.page_width, section.page_height, section.left_margin)]
    assert in_mm == [210, 297, 30]
    assert 15 <= round(section.right_margin.mm) <= 20
    assert 20 <= round(section.top_margin.mm) <= 25
    assert word.styles["Normal"].font.name == "Times New Roman"
    header = word.tables[0]
    assert [p.text for p in header.rows[0].cells[1].paragraphs if p.text] == [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
    ]
    assert header.rows[1].cells[1].text.startswith("Lào Cai, ngày")
    assert section.different_first_page_header_footer
    assert "Nơi nhận:" in word.tables[-1].rows[0].cells[0].text


@pytest.mark.parametrize("kind", FORMATS)
def test_control_characters_in_titles_and_labels_break_nothing(kind: str, tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.factories.agendas import SESSION

    hostile = "Đối\x00 thoại \x0b& <b> \ufffe &P"
    session = replace(SESSION, title=hostile, place=hostile, chair=hostile)
    path = _export(agenda([["a\x01b"]], session=session), kind, tmp_path)
    assert path.stat().st_size > 100

"""`nghedan evaluate places`: how often the commune in a message is found, and found right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import note, print_json
from bot.cli.evaluation_rows import note_lines, read_rows, text_of
from core.places import Gazetteer
from core.places.evaluation import PlaceRow, evaluate_places
from core.places.tokens import without_marks
from core.settings import Settings


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("places", help="Nhận ra xã, phường trong tin nhắn: {text, unit, candidates?}.")(places)


def places(
    data: Annotated[Path, typer.Option(help="Tệp JSON Lines.", exists=True, dir_okay=False)],
    strip_diacritics: Annotated[
        bool, typer.Option("--strip-diacritics", help="Bỏ dấu trước khi đo.")
    ] = False,
    province: Annotated[
        str, typer.Option(help="Mã tỉnh được ưu tiên khi trùng tên; `none`: cả nước; trống: theo cấu hình.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Read every row as the conversation would and count; a code of either list is accepted."""
    home = None if province == "none" else province or Settings().province_code
    file = read_rows(data, lambda row: _row(row, strip=strip_diacritics))
    score = evaluate_places(Gazetteer.load(), file.rows, province=home)
    note(f"{score.n} dòng: nhận ra {score.resolved}, đúng {score.correct}, hỏi lại {score.asked}")
    note_lines("Sai", [file.lines[i] for i in score.wrong_rows])
    note_lines("Chưa nhận ra", [file.lines[i] for i in score.missed_rows])
    if as_json:
        print_json(
            {
                "n": score.n,
                "resolved": score.resolved,
                "correct": score.correct,
                "wrong": score.wrong,
                "asked": score.asked,
                "asked_right": score.asked_right,
                "bad_lines": file.bad_lines(),
            }
        )


def _row(row: dict[str, Any], *, strip: bool) -> PlaceRow:
    text = text_of(row)
    unit = row.get("unit")
    candidates = row.get("candidates") or []
    if "unit" not in row or not (unit is None or isinstance(unit, str)):
        raise ValueError("thiếu «unit» (mã 5 chữ số dạng chuỗi, hoặc null)")
    if not isinstance(candidates, list) or not all(isinstance(code, str) for code in candidates):
        raise ValueError("«candidates» phải là danh sách mã")
    return PlaceRow(without_marks(text) if strip else text, unit, tuple(candidates))

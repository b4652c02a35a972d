"""`nghedan evaluate split`: whether messages of several matters are cut where a person would cut them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import note, print_json
from bot.cli.evaluation_rows import note_lines, read_rows, text_of
from core.fields import FieldClassifier
from core.places.tokens import without_marks
from core.settings import Settings
from core.splitting.evaluation import SplitRow, evaluate_split
from core.text.embedding import load_embedder


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("split", help="Tách tin có nhiều việc: {text, parts}.")(split)


def split(
    data: Annotated[Path, typer.Option(help="Tệp JSON Lines.", exists=True, dir_okay=False)],
    strip_diacritics: Annotated[
        bool, typer.Option("--strip-diacritics", help="Bỏ dấu trước khi đo.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Cut every row and compare with the expected parts."""
    file = read_rows(data, lambda row: _row(row, strip=strip_diacritics))
    settings = Settings()
    embedder = load_embedder(settings.embedder)
    judge = FieldClassifier.ensure(settings.models_dir, note, embedder=embedder).by_words
    score = evaluate_split(file.rows, judge)
    note(f"{score.n} dòng: đúng {score.exact}, tách thừa {score.over_split}, tách thiếu {score.under_split}")
    note_lines("Khác", [file.lines[i] for i in score.wrong_rows])
    if as_json:
        print_json(
            {
                "n": score.n,
                "exact": score.exact,
                "over_split": score.over_split,
                "under_split": score.under_split,
                "bad_lines": file.bad_lines(),
            }
        )


def _row(row: dict[str, Any], *, strip: bool) -> SplitRow:
    text, parts = text_of(row), row.get("parts")
    if not isinstance(parts, list) or not parts or not all(isinstance(p, str) and p.strip() for p in parts):
        raise ValueError("«parts» phải là danh sách các đoạn văn")
    change = without_marks if strip else str
    return SplitRow(change(text), tuple(change(part) for part in parts))

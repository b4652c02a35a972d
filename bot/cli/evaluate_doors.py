"""`nghedan evaluate doors`: how often complaints, denunciations and the like are noticed, and normal ones
let be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import note, print_json
from bot.cli.evaluation_rows import read_rows, text_of
from core.doors import DOORS, ensure
from core.doors.evaluation import DoorRow, evaluate_doors
from core.places.tokens import without_marks
from core.settings import Settings


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("doors", help="Nhận ra khiếu nại, tố cáo, tin khẩn …: {text, door}.")(doors)


def doors(
    data: Annotated[Path, typer.Option(help="Tệp JSON Lines.", exists=True, dir_okay=False)],
    strip_diacritics: Annotated[
        bool, typer.Option("--strip-diacritics", help="Bỏ dấu trước khi đo.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Check every row; the model is trained first when its templates changed."""
    file = read_rows(data, lambda row: _row(row, strip=strip_diacritics))
    model = ensure(Settings().models_dir, note)
    score = evaluate_doors(file.rows, model=model)
    note(f"{score.n} dòng; báo nhầm tin thường: {score.false_alarms}")
    for door in DOORS:
        note(f"  {door}: tìm được {score.recall[door]}, đúng {score.precision[door]}")
    for (right, guess), count in score.confusions.items():
        note(f"  {right} → {guess}: {count}")
    if as_json:
        print_json(
            {
                "n": score.n,
                "recall": score.recall,
                "precision": score.precision,
                "false_alarms": score.false_alarms,
                "bad_lines": file.bad_lines(),
            }
        )


def _row(row: dict[str, Any], *, strip: bool) -> DoorRow:
    text, door = text_of(row), row.get("door")
    if door not in DOORS:
        raise ValueError("«door» phải là một trong: " + ", ".join(DOORS))
    return DoorRow(without_marks(text) if strip else text, door)

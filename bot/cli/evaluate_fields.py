"""`nghedan evaluate fields`: how often the field of a concern is found, beside a plain baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import note, print_json
from bot.cli.evaluation_rows import note_lines, read_rows, text_of
from core.fields import FieldClassifier
from core.fields.baseline import baseline_answers
from core.fields.catalogue import field_code
from core.fields.evaluation import FieldRow, FieldScore, score_fields
from core.fields.learning import answers_of
from core.fields.picture import confusion_svg
from core.places.tokens import without_marks
from core.settings import Settings
from core.text.embedding import load_embedder


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("fields", help="Nhận ra lĩnh vực: {text, field, field_alt?}.")(fields)


def fields(
    data: Annotated[Path, typer.Option(help="Tệp JSON Lines.", exists=True, dir_okay=False)],
    strip_diacritics: Annotated[
        bool, typer.Option("--strip-diacritics", help="Bỏ dấu trước khi đo.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Ghi ma trận nhầm lẫn ra tệp SVG.", dir_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Classify every row with the model in use and with the baseline; models are built when missing."""
    file = read_rows(data, lambda row: field_row(row, strip=strip_diacritics))
    settings = Settings()
    embedder = load_embedder(settings.embedder)
    classifier = FieldClassifier.ensure(settings.models_dir, note, embedder=embedder)
    answers = answers_of(classifier, [row.text for row in file.rows])
    score = score_fields(file.rows, answers)
    if picture is not None:
        picture.write_text(confusion_svg(file.rows, answers, title=f"Lĩnh vực, {score.n} dòng"), "utf-8")
    baseline = score_fields(file.rows, baseline_answers([row.text for row in file.rows]))
    _tell("Mô hình", score)
    _tell("Mốc so sánh (TF-IDF + SVM)", baseline)
    for (right, said), count in score.confusions.most_common():
        note(f"  {right} → {said or 'chờ phân loại'}: {count}")
    note_lines("Sai", [file.lines[i] for i in score.wrong])
    if as_json:
        print_json({**score.as_json(), "baseline": baseline.as_json(), "bad_lines": file.bad_lines()})


def _tell(name: str, score: FieldScore) -> None:
    note(
        f"{name}: {score.n} dòng; đúng {score.accuracy:.3f}, đúng (kể cả nhãn chấp nhận được) "
        f"{score.accuracy_alt:.3f}, trong hai nhãn đầu {score.top2_alt:.3f}, macro-F1 {score.macro_f1:.3f}, "
        f"chờ phân loại {score.abstained}"
    )


def field_row(row: dict[str, Any], *, strip: bool = False) -> FieldRow:
    """A labelled row; a field is named by its code or its label. Raises `ValueError`."""
    text = text_of(row)
    code = _code(row.get("field"), "field")
    alternatives = row.get("field_alt") or []
    if isinstance(alternatives, str):
        alternatives = [alternatives]
    if not isinstance(alternatives, list):
        raise ValueError("«field_alt» phải là danh sách lĩnh vực")
    return FieldRow(
        without_marks(text) if strip else text,
        code,
        frozenset(_code(name, "field_alt") for name in alternatives),
    )


def _code(name: object, key: str) -> str:
    code = field_code(name) if isinstance(name, str) else None
    if code is None:
        raise ValueError(f"«{key}» không phải mã hay tên lĩnh vực")
    return code

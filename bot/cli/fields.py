"""`nghedan fields`: what units call the fields; the classifier learns from what clerks corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import database, fail, load_settings, note, print_json
from bot.cli.evaluate_fields import field_row
from bot.cli.evaluation_rows import read_rows
from core.fields import FieldClassifier, learning
from core.fields.catalogue import fields
from core.fields.corrections import corrected_concerns
from core.fields.evaluation import FieldRow
from core.fields.learning import LearningError
from core.fields.model import Correction
from core.fields.names import LONGEST, FieldNameError, field_names, rename_field
from core.settings import Settings
from core.text.embedding import load_embedder
from core.wording import STAFF

fields_app = typer.Typer(no_args_is_help=True)


@fields_app.command("learn", help="Học lại từ các ý kiến cán bộ đã sửa lĩnh vực; kém hơn thì không dùng.")
def learn(
    evaluation: Annotated[
        Path | None, typer.Option(help="Tệp {text, field, field_alt?} để so; trống: bộ có sẵn.")
    ] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="Tệp {text, field} thay cho các ý kiến trong cơ sở dữ liệu.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Retrain with the corrections and take the result into use unless it does worse on the evaluation rows."""
    settings = Settings()
    embedder = load_embedder(settings.embedder)
    current = FieldClassifier.ensure(settings.models_dir, note, embedder=embedder)
    found = _from_file(corrections) if corrections else _from_database()
    try:
        candidate = learning.train(current, found, progress=note)
        accepted = learning.accept_if_not_worse(
            candidate, _rows(evaluation), current=current, models=settings.models_dir
        )
    except LearningError as error:
        if as_json:
            print_json({"accepted": False, "corrections": len(found), "reason": error.code})
        fail(error.code, STAFF.say(f"learning.{error.code}", detail=error.detail))
    before, after = accepted.before, accepted.after
    note(
        STAFF.say(
            "learning.accepted",
            corrections=len(found),
            before=f"{before.accuracy_alt:.3f}",
            after=f"{after.accuracy_alt:.3f}",
        )
    )
    if as_json:
        print_json(
            {"accepted": True, "corrections": len(found), "before": _brief(before), "after": _brief(after)}
        )


@fields_app.command("forget", help="Bỏ phần đã học, trở lại mô hình gốc.")
def forget() -> None:
    """Go back to the model without corrections."""
    settings = Settings()
    learning.forget(settings.models_dir, load_embedder(settings.embedder).name)
    note(STAFF.say("learning.forgotten"))


@fields_app.command("list", help="Các lĩnh vực và tên gọi ở một đơn vị.")
def list_fields(
    unit: Annotated[str, typer.Option(help="Mã đơn vị; trống: tỉnh.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Codes, names in use at the unit, and the groups of the agenda."""
    with database() as opened, opened.read() as session:
        name = field_names(session, unit or load_settings().province_code)
        rows = [
            {"code": f.code, "name": name(f.code), "own": name.is_own(f.code), "group": f.group}
            for f in fields()
        ]
    if as_json:
        print_json({"fields": rows})
        return
    for row in rows:
        typer.echo(f"{row['code']}\t{row['name']}\t{row['group']}")


@fields_app.command("rename", help="Đặt tên riêng của đơn vị cho một lĩnh vực; tên trống: trở lại tên chung.")
def rename(
    code: Annotated[str, typer.Argument(help="Mã lĩnh vực.")],
    name: Annotated[str, typer.Argument(help="Tên mới.")],
    unit: Annotated[str, typer.Option(help="Mã đơn vị; trống: tỉnh và mọi xã chưa đặt tên riêng.")] = "",
) -> None:
    """Name a field for a unit and the units below it."""
    unit = unit or load_settings().province_code
    with database() as opened, opened.write() as session:
        try:
            rename_field(session, unit_code=unit, code=code, name=name)
        except FieldNameError as error:
            fail(error.code, STAFF.say(f"fields.{error.code}", limit=LONGEST))
        session.flush()
        note(STAFF.say("fields.renamed", unit=unit, code=code, name=field_names(session, unit)(code)))


def _from_database() -> list[Correction]:
    with database() as opened, opened.read() as session:
        return corrected_concerns(session)


def _from_file(path: Path) -> list[Correction]:
    return [Correction(row.text, row.code) for row in read_rows(path, field_row).rows]


def _rows(path: Path | None) -> list[FieldRow]:
    return list(read_rows(path, field_row).rows) if path else learning.own_rows()


def _brief(score: Any) -> dict[str, Any]:
    whole = score.as_json()
    return {key: whole[key] for key in ("n", "accuracy", "accuracy_alt", "top2_alt", "macro_f1")}

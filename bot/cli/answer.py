"""`nghedan answer import|publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import database, fail, note, print_json
from core.answers import answer_file
from core.answers.answer_file import Problem
from core.answers.publish import import_answers
from core.answers.publish import publish as publish_answers
from core.clock import utc_now
from core.sessions import lifecycle
from core.wording import STAFF

answer_app = typer.Typer(no_args_is_help=True)


@answer_app.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(help="Tệp .xlsx đã điền.")],
    session_id: Annotated[int, typer.Option("--session", help="Số của phiên.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Nhập câu trả lời từ bảng tổng hợp đã điền; sai một dòng thì chưa nhập gì."""
    rows, problems = answer_file.read(path)
    if problems:
        _refuse(problems)
    with database() as opened, opened.write() as session:
        lifecycle.get(session, session_id)
        result = import_answers(session, session_id=session_id, rows=rows, now=utc_now())
    if result.problems:
        _refuse(list(result.problems))
    note(STAFF.say("answer.imported", answers=result.answers, concerns=result.concerns))
    if as_json:
        print_json({"answers": result.answers, "concerns": result.concerns})


def _refuse(problems: list[Problem]) -> None:
    for problem in problems:
        why = STAFF.say(f"answer_problem.{problem.code}", value=problem.value)
        note(STAFF.say("answer.problem", row=problem.row, why=why))
    fail("answers_refused", STAFF.say("answer.nothing_imported"))


@answer_app.command("publish")
def publish(
    session_id: Annotated[int, typer.Option("--session", help="Số của phiên.")],
    by: Annotated[str, typer.Option(help="Người thực hiện.")] = "cli",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Công bố: mỗi người hỏi nhận trả lời một lần, trong kênh đã dùng."""
    with database() as opened, opened.write() as session:
        lifecycle.get(session, session_id)
        result = publish_answers(session, session_id=session_id, by=by, now=utc_now())
    note(STAFF.say("answer.published", answers=result.answers, rows=result.rows, people=result.people))
    if as_json:
        print_json({"answers": result.answers, "people": result.people, "rows": result.rows})

"""Answers of a session: written item by item or read from the filled-in table, then published once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, text_of
from console.instants import plain_day
from console.pages.sessions import visible_session
from console.words import say
from core.answers import answer_file, progress, publish
from core.answers.answer_file import AnswerRow, Problem
from core.people.roles import May
from core.wording import STAFF

router = APIRouter(prefix="/sessions/{session_id}/answers")

_READER = needs(May.READ, whole_sessions=True)
_WRITER = needs(May.ANSWER, whole_sessions=True)
_PUBLISHER = needs(May.PUBLISH, whole_sessions=True)
_LARGEST_BYTES = 10_000_000


@router.get("")
def view(request: Request, desk: TheDesk, session_id: RowId, visitor: Visitor = _READER) -> Response:
    """Every item with its answer, and what publishing would do."""
    return _view(request, desk, visitor, session_id)


def _view(
    request: Request, desk: Desk, visitor: Visitor, session_id: int, *, problems: list[str] | None = None
) -> Response:
    with desk.database.read() as session:
        found = visible_session(session, visitor, session_id)
        items = progress.items(session, session_id=session_id)
        delivery = publish.delivery_summary(session, session_id=session_id)
    drafts = [one for one in items if one.state == "draft"]
    return desk.page(
        request,
        "answers.html",
        visitor,
        found=found,
        items=items,
        drafts=len(drafts),
        people=sum(one.item.people for one in drafts),
        delivery=delivery,
        problems=problems or [],
        status=422 if problems else 200,
    )


@router.post("/item/{key}")
def write(
    request: Request, desk: TheDesk, session_id: RowId, key: str, form: Form, visitor: Visitor = _WRITER
) -> Response:
    """Keep the draft of one item; a draft of before is replaced."""
    row = AnswerRow(
        row=0,
        key=key[:20],
        codes=(),
        text=text_of(form, "text", most=8_000),
        answered_by=text_of(form, "answered_by", most=200),
        basis=text_of(form, "basis", most=200),
        due_on=plain_day(text_of(form, "due_on", most=10)),
    )
    if not row.text:
        return _view(request, desk, visitor, session_id, problems=[say("judge.no_words")])
    return _import(request, desk, visitor, session_id, [row])


@router.post("/file")
def read_file(
    request: Request, desk: TheDesk, session_id: RowId, form: Form, visitor: Visitor = _WRITER
) -> Response:
    """Take the answers of a spreadsheet: all rows or none."""
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.size:
        return _view(request, desk, visitor, session_id, problems=[say("answers.no_file")])
    if upload.size > _LARGEST_BYTES:
        raise Refused(413)
    with tempfile.TemporaryDirectory(prefix="nghedan-") as folder:
        path = Path(folder) / "answers.xlsx"
        path.write_bytes(upload.file.read())
        rows, problems = answer_file.read(path)
    if problems:
        return _view(request, desk, visitor, session_id, problems=_said(problems))
    return _import(request, desk, visitor, session_id, rows)


def _import(
    request: Request, desk: Desk, visitor: Visitor, session_id: int, rows: list[AnswerRow]
) -> Response:
    with desk.database.write() as session:
        visible_session(session, visitor, session_id)
        done = publish.import_answers(session, session_id=session_id, rows=rows, now=desk.now())
    if done.problems:
        return _view(request, desk, visitor, session_id, problems=_said(done.problems))
    return go(f"/sessions/{session_id}/answers", done="answers_kept", n=done.answers)


def _said(problems: list[Problem] | tuple[Problem, ...]) -> list[str]:
    return [_sentence(problem) for problem in problems[:50]]


def _sentence(problem: Problem) -> str:
    why = STAFF.say(f"answer_problem.{problem.code}", value=problem.value)
    return STAFF.say("answer.problem", row=problem.row, why=why) if problem.row else why


@router.post("/publish")
def publish_all(desk: TheDesk, session_id: RowId, _form: Form, visitor: Visitor = _PUBLISHER) -> Response:
    """Send every draft to everybody who asked; a second press sends nothing."""
    with desk.database.write() as session:
        visible_session(session, visitor, session_id)
        done = publish.publish(session, session_id=session_id, by=visitor.scope.actor, now=desk.now())
    return go(f"/sessions/{session_id}/answers", done="answers_published", n=done.people)

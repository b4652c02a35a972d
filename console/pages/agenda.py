"""The agenda of a session: ordered by hand, kept in versions, approved, compared, printed, exported."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, text_of
from console.pages.sessions import visible_session
from core.agenda import build, choices, versions
from core.agenda.choices import WhyNot
from core.agenda.document import AgendaDocument
from core.documents.export import export
from core.people.roles import May
from core.sessions.lifecycle import SessionError
from core.wording import STAFF
from storage.models import StaffMember

router = APIRouter(prefix="/sessions/{session_id}/agenda")

_READER = needs(May.READ, whole_sessions=True)
_PLANNER = needs(May.PLAN, whole_sessions=True)
_CHAIR = needs(May.APPROVE, whole_sessions=True)
_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


@router.get("")
def view(request: Request, desk: TheDesk, session_id: RowId, visitor: Visitor = _READER) -> Response:
    """The agenda as it stands now, its versions, and the form that orders it."""
    return _view(request, desk, visitor, session_id)


def _view(request: Request, desk: Desk, visitor: Visitor, session_id: int, *, problem: str = "") -> Response:
    with desk.database.read() as session:
        found = visible_session(session, visitor, session_id)
        document, left_out = build.arranged(session, session_id=session_id)
        kept = versions.versions(session, session_id)
        by_hand = bool(choices.decided(session, session_id))
        actors = _names(session, kept)
    return desk.page(
        request,
        "agenda.html",
        visitor,
        found=found,
        document=document,
        left_out=left_out,
        versions=kept,
        actors=actors,
        by_hand=by_hand,
        reasons=[(why, STAFF.say(f"not_asked.{why}")) for why in WhyNot],
        kinds=list(_TYPES),
        problem=problem,
        status=409 if problem else 200,
    )


def _names(session: Session, kept: list[versions.Version]) -> dict[str, str]:
    numbers = {who.removeprefix("staff:") for v in kept for who in (v.created_by, v.approved_by or "")}
    ids = [int(number) for number in numbers if number.isdigit()]
    rows = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids)))
    return {f"staff:{staff_id}": name for staff_id, name in rows}


@router.post("/order")
def order(desk: TheDesk, session_id: RowId, form: Form, visitor: Visitor = _PLANNER) -> Response:
    """Keep the numbers and reasons of the form; with `save` also make a version of it."""
    with desk.database.write() as session:
        visible_session(session, visitor, session_id)
        if text_of(form, "what", most=10) == "forget":
            choices.forget(session, session_id=session_id)
        else:
            _decide(session, desk, visitor, session_id, form)
        if text_of(form, "what", most=10) == "save":
            made = build.save(session, session_id=session_id, created_by=visitor.scope.actor, now=desk.now())
            return go(f"/sessions/{session_id}/agenda", done="agenda_saved", n=made.version)
    return go(f"/sessions/{session_id}/agenda", done="saved")


def _decide(session: Session, desk: Desk, visitor: Visitor, session_id: int, form: FormData) -> None:
    """Items that came since the form was opened keep their proposed place behind the others."""
    document, left_out = build.arranged(session, session_id=session_id)
    order: list[str] = []
    for part in document.fields:
        shown = [item.key for item in part.topics]
        wanted = {key: n for key in shown if (n := _number(form, f"n-{key}")) is not None}
        order += choices.reorder(shown, wanted)
    unasked: dict[str, WhyNot] = {}
    for key in [*order, *(one.item.key for one in left_out)]:
        why = text_of(form, f"why-{key}", most=20)
        if why in list(WhyNot):
            unasked[key] = WhyNot(why)
        elif key not in order:
            order.append(key)
    choices.decide(
        session, session_id=session_id, order=order, left_out=unasked, by=visitor.scope.actor, now=desk.now()
    )


def _number(form: FormData, name: str) -> int | None:
    value = text_of(form, name, most=5)
    return int(value) if value.isascii() and value.isdigit() else None


@router.post("/{version}/approve")
def approve(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    version: RowId,
    _form: Form,
    visitor: Visitor = _CHAIR,
) -> Response:
    """The chair approves the newest version."""
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            versions.approve(
                session, session_id=session_id, version=version, by=visitor.scope.actor, now=desk.now()
            )
    except SessionError as error:
        return _view(request, desk, visitor, session_id, problem=STAFF.say(error.code))
    return go(f"/sessions/{session_id}/agenda", done="agenda_approved", n=version)


@router.get("/{version}")
def printed(
    request: Request, desk: TheDesk, session_id: RowId, version: RowId, visitor: Visitor = _READER
) -> Response:
    """One version as the page will print."""
    document = _kept(desk, visitor, session_id, version)
    return desk.page(request, "agenda_paper.html", visitor, document=document, version=version)


@router.get("/{version}/changes")
def compared(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    version: RowId,
    since: Annotated[int, Query(ge=1, le=2**31 - 1)],
    visitor: Visitor = _READER,
) -> Response:
    """What changed between two versions."""
    old, new = _kept(desk, visitor, session_id, since), _kept(desk, visitor, session_id, version)
    found = versions.changes(old, new)
    return desk.page(
        request, "agenda_changes.html", visitor, changes=found, document=new, version=version, since=since
    )


@router.get("/{version}/file/{kind}")
def file(desk: TheDesk, session_id: RowId, version: RowId, kind: str, visitor: Visitor = _READER) -> Response:
    """One version as a file to keep; the same version gives the same file."""
    if kind not in _TYPES:
        raise Refused(404)
    document = _kept(desk, visitor, session_id, version)
    name = f"chuong-trinh-{session_id}-ban-{version}.{kind}"
    with tempfile.TemporaryDirectory(prefix="nghedan-") as folder:
        content = export(document, kind, Path(folder) / name).read_bytes()
    return Response(
        content, media_type=_TYPES[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _kept(desk: Desk, visitor: Visitor, session_id: int, version: int) -> AgendaDocument:
    with desk.database.read() as session:
        visible_session(session, visitor, session_id)
        try:
            body: dict[str, Any] = build.load(session, session_id=session_id, version=version).body
        except SessionError as error:
            raise Refused(404) from error
    return AgendaDocument.load(body)

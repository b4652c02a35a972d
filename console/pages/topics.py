"""The board of topics: what is together and why; merge, split, move, rename, lock, assign, undo."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, ids_of, text_of
from console.pages.sessions import visible_session
from console.pages.staff import units_of
from console.words import say
from core.inbox import judge
from core.inbox.judge import JudgeError
from core.people.roles import May
from core.topics import board, edits, pulse
from core.topics.edits import EditError
from storage.models import TopicMember

router = APIRouter(prefix="/sessions/{session_id}/topics")

_READER = needs(May.READ, whole_sessions=True)
_PLANNER = needs(May.PLAN, whole_sessions=True)


@router.get("")
def listing(request: Request, desk: TheDesk, session_id: RowId, visitor: Visitor = _READER) -> Response:
    """Every standing topic in the proposed order."""
    return _listing(request, desk, visitor, session_id)


def _listing(
    request: Request, desk: Desk, visitor: Visitor, session_id: int, *, problem: str = ""
) -> Response:
    with desk.database.read() as session:
        found = visible_session(session, visitor, session_id)
        topics = board.topics(session, session_id=session_id)
        sizes = pulse.sizes(session, session_id)
        last = pulse.last_edit(session, session_id)
        beat = pulse.pulse(session, session_id)
    return desk.page(
        request,
        "topics.html",
        visitor,
        found=found,
        topics=topics,
        sizes=sizes,
        last=last,
        beat=beat,
        problem=problem,
        status=422 if problem else 200,
    )


@router.get("/pulse")
def beat(desk: TheDesk, session_id: RowId, visitor: Visitor = _READER) -> Response:
    """For open boards: whether anything has changed."""
    with desk.database.read() as session:
        visible_session(session, visitor, session_id)
        found = pulse.pulse(session, session_id)
    return JSONResponse({"members": found.members, "mark": found.mark})


@router.get("/{topic_id}")
def one(
    request: Request, desk: TheDesk, session_id: RowId, topic_id: RowId, visitor: Visitor = _READER
) -> Response:
    """One topic, member by member, with the reasons why they are together."""
    return _one(request, desk, visitor, session_id, topic_id)


def _one(
    request: Request, desk: Desk, visitor: Visitor, session_id: int, topic_id: int, *, problem: str = ""
) -> Response:
    with desk.database.read() as session:
        found = visible_session(session, visitor, session_id)
        topics = board.topics(session, session_id=session_id)
        topic = next((t for t in topics if t.topic_id == topic_id), None)
        if topic is None:
            raise Refused(404)
        members = board.members(session, session_id=session_id, topic_id=topic_id)
        units = units_of(session, visitor.scope)
    return desk.page(
        request,
        "topic.html",
        visitor,
        found=found,
        topic=topic,
        members=members,
        others=[(t.topic_id, t.label) for t in topics if t.topic_id != topic_id],
        units=units,
        problem=problem,
        status=422 if problem else 200,
    )


@router.post("/merge")
def merge(
    request: Request, desk: TheDesk, session_id: RowId, form: Form, visitor: Visitor = _PLANNER
) -> Response:
    """Put the ticked topics into the one chosen."""
    chosen = ids_of(form, "topic")
    into = next(iter(ids_of(form, "into")), 0)
    try:
        if not chosen:
            raise EditError("nothing_chosen")
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            edits.merge(
                session,
                session_id=session_id,
                into=into or chosen[0],
                others=chosen,
                by=visitor.scope.actor,
                now=desk.now(),
            )
    except EditError as error:
        return _listing(request, desk, visitor, session_id, problem=say(f"topic_problem.{error.code}"))
    return go(f"/sessions/{session_id}/topics", done="topics_changed")


@router.post("/undo")
def undo(
    request: Request, desk: TheDesk, session_id: RowId, _form: Form, visitor: Visitor = _PLANNER
) -> Response:
    """Take the last correction back."""
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            edits.undo(session, session_id=session_id, now=desk.now())
    except EditError as error:
        return _listing(request, desk, visitor, session_id, problem=say(f"topic_problem.{error.code}"))
    return go(f"/sessions/{session_id}/topics", done="topics_undone")


@router.post("/{topic_id}/change")
def change(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    topic_id: RowId,
    form: Form,
    visitor: Visitor = _PLANNER,
) -> Response:
    """Split, move, rename, lock or assign one topic."""
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            _change(session, desk, visitor, session_id, topic_id, form)
    except EditError as error:
        problem = say(f"topic_problem.{error.code}")
        return _one(request, desk, visitor, session_id, topic_id, problem=problem)
    except JudgeError as error:
        return _one(request, desk, visitor, session_id, topic_id, problem=say(f"judge.{error.code}"))
    with desk.database.read() as session:
        standing = {t.topic_id for t in board.topics(session, session_id=session_id)}
    back = f"/sessions/{session_id}/topics"
    return go(f"{back}/{topic_id}" if topic_id in standing else back, done="topics_changed")


def _change(
    session: Session, desk: Desk, visitor: Visitor, session_id: int, topic_id: int, form: FormData
) -> None:
    concerns = ids_of(form, "id")
    by, now = visitor.scope.actor, desk.now()
    label = text_of(form, "label", most=200)
    match text_of(form, "what", most=10):
        case "split":
            edits.split(
                session,
                session_id=session_id,
                topic_id=topic_id,
                concerns=concerns,
                label=label,
                by=by,
                now=now,
            )
        case "move":
            to = next(iter(ids_of(form, "to")), 0)
            edits.move(session, session_id=session_id, concerns=concerns, to=to, by=by, now=now)
        case "rename":
            edits.rename(session, session_id=session_id, topic_id=topic_id, label=label, by=by, now=now)
        case "lock" | "unlock" as what:
            edits.lock(
                session, session_id=session_id, topic_id=topic_id, locked=what == "lock", by=by, now=now
            )
        case "assign":
            _assign(session, desk, visitor, session_id, topic_id, text_of(form, "handler", most=5))
        case _:
            raise Refused(400)


def _assign(
    session: Session, desk: Desk, visitor: Visitor, session_id: int, topic_id: int, unit: str
) -> None:
    if topic_id not in {t.topic_id for t in board.topics(session, session_id=session_id)}:
        raise EditError("topic_unknown")
    ids = session.scalars(select(TopicMember.concern_id).where(TopicMember.topic_id == topic_id)).all()
    for start in range(0, len(ids), judge.MOST_AT_ONCE):
        part = ids[start : start + judge.MOST_AT_ONCE]
        judge.assign(session, visitor.scope, part, unit, now=desk.now())

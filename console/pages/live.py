"""The session itself: the secretary's screen, and the questions from the hall that wait for a decision."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from console.access import Form, TheDesk, needs
from console.desk import BASE, Desk, Refused, RowId, Visitor, go, text_of
from console.instants import plain_day
from console.pages.sessions import visible_session
from console.qr import qr_svg
from console.words import say
from core.live import hall, proceedings
from core.live.proceedings import LiveError
from core.people.roles import May
from core.wording import STAFF
from storage.models import LiveState, QuestionState

router = APIRouter(prefix="/sessions/{session_id}/live")

_READER = needs(May.READ, whole_sessions=True)
_SECRETARY = needs(May.PLAN, whole_sessions=True)
_FIELDS = ("speaker", "note", "unit", "due_on")
_ENDS = {
    "answered": LiveState.ANSWERED,
    "written": LiveState.WRITTEN,
    "skipped": LiveState.SKIPPED,
}


@router.get("")
def view(request: Request, desk: TheDesk, session_id: RowId, visitor: Visitor = _READER) -> Response:
    """The item under discussion, what comes next, what was said, and questions from the hall."""
    return _view(request, desk, visitor, session_id)


def _view(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    session_id: int,
    *,
    problems: list[str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with desk.database.read() as session:
        found = visible_session(session, visitor, session_id)
        room = hall.room(session, session_id)
        goes = proceedings.read(session, session_id)
        questions = hall.questions(session, session_id, _visible_states(visitor))
    address = address_of(request, desk, room.token) if room and room.is_open else ""
    return desk.page(
        request,
        "live.html",
        visitor,
        found=found,
        goes=goes,
        room=room,
        address=address,
        qr=qr_svg(f"{address}/ask", label=say("live.qr_label")) if address else "",
        questions=questions,
        reasons=[(reason, say(f"live_reason.{reason}")) for reason in hall.REASONS],
        typed=typed or dict.fromkeys(_FIELDS, ""),
        problems=problems or [],
        status=422 if problems else 200,
    )


def address_of(request: Request, desk: Desk, token: str) -> str:
    """The projector's address as people outside can open it."""
    base = desk.settings.public_url or str(request.base_url).rstrip("/").removesuffix(BASE)
    return f"{base.rstrip('/')}{BASE}/live/{token}"


@router.get("/pulse")
def pulse(desk: TheDesk, session_id: RowId, visitor: Visitor = _READER) -> Response:
    """Whether questions came in since the page was opened."""
    with desk.database.read() as session:
        visible_session(session, visitor, session_id)
        count = len(hall.questions(session, session_id, _visible_states(visitor)))
    return JSONResponse({"mark": str(count)})


def _visible_states(visitor: Visitor) -> list[QuestionState]:
    held = visitor.scope.may(May.QUARANTINE)
    return [state for state in QuestionState if held or state != QuestionState.HELD]


@router.post("/item/{key}/{step}")
def take_step(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    key: str,
    step: str,
    form: Form,
    visitor: Visitor = _SECRETARY,
) -> Response:
    """Take an item up, or say how it ended; the next one follows by itself."""
    if step != "begin" and step not in _ENDS:
        raise Refused(404)
    typed = {name: text_of(form, name, most=2_000) for name in _FIELDS}
    by, now = visitor.scope.actor, desk.now()
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            if step == "begin":
                proceedings.begin(session, session_id, key, by=by, now=now)
            else:
                proceedings.finish(
                    session,
                    session_id,
                    key,
                    _ENDS[step],
                    speaker=typed["speaker"][:200],
                    note=typed["note"],
                    unit=typed["unit"][:200],
                    due_on=plain_day(typed["due_on"]),
                    by=by,
                    now=now,
                )
    except LiveError as error:
        return _view(request, desk, visitor, session_id, problems=[say(f"live.{error.code}")], typed=typed)
    return go(f"/sessions/{session_id}/live", done="live_step")


@router.post("/undo")
def undo(
    request: Request, desk: TheDesk, session_id: RowId, _form: Form, visitor: Visitor = _SECRETARY
) -> Response:
    """Take back the last step."""
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            proceedings.undo(session, session_id, now=desk.now())
    except LiveError as error:
        return _view(request, desk, visitor, session_id, problems=[say(f"live.{error.code}")])
    return go(f"/sessions/{session_id}/live", done="live_undone")


@router.post("/drafts")
def drafts(
    request: Request, desk: TheDesk, session_id: RowId, _form: Form, visitor: Visitor = _SECRETARY
) -> Response:
    """What was said on the spot becomes draft answers; publishing them is another page's step."""
    with desk.database.write() as session:
        visible_session(session, visitor, session_id)
        done = proceedings.draft_answers(session, session_id, now=desk.now())
    if done.problems:
        said = [STAFF.say(f"answer_problem.{one.code}", value=one.value) for one in done.problems[:20]]
        return _view(request, desk, visitor, session_id, problems=said)
    return go(f"/sessions/{session_id}/answers", done="answers_kept", n=done.answers)


@router.post("/room")
def arrange(desk: TheDesk, session_id: RowId, form: Form, visitor: Visitor = _SECRETARY) -> Response:
    """Open, close or re-address the public view."""
    what, now = text_of(form, "what", most=20), desk.now()
    with desk.database.write() as session:
        visible_session(session, visitor, session_id)
        if what == "renew" and hall.room(session, session_id) is not None:
            hall.renew(session, session_id, now=now)
        elif what in ("open", "questions", "close"):
            hall.arrange(session, session_id, is_open=what != "close", questions=what == "questions", now=now)
    return go(f"/sessions/{session_id}/live", done="saved")


@router.post("/questions/{question_id}/{judged}")
def judge(
    request: Request,
    desk: TheDesk,
    session_id: RowId,
    question_id: RowId,
    judged: str,
    form: Form,
    visitor: Visitor = _SECRETARY,
) -> Response:
    """Let a question through to the hall, refuse it, or note that it was asked."""
    if judged not in (QuestionState.APPROVED, QuestionState.REFUSED, QuestionState.ASKED):
        raise Refused(404)
    try:
        with desk.database.write() as session:
            visible_session(session, visitor, session_id)
            hall.decide(
                session,
                session_id,
                question_id,
                QuestionState(judged),
                reason=text_of(form, "reason", most=20) if judged == QuestionState.REFUSED else "",
                held_too=visitor.scope.may(May.QUARANTINE),
                by=visitor.scope.actor,
                now=desk.now(),
            )
    except LiveError as error:
        if error.code == "unknown_question":
            raise Refused(404) from error
        return _view(request, desk, visitor, session_id, problems=[say(f"live.{error.code}")])
    return go(f"/sessions/{session_id}/live", done="saved")

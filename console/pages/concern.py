"""One concern: the words as they came, what belongs to them, and what may be done."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import select

from console.access import Form, TheDesk, needs
from console.desk import Desk, Refused, RowId, Visitor, go, text_of
from console.pages.staff import units_of
from console.words import say
from core.fields.catalogue import fields
from core.inbox import find, judge, one
from core.inbox.judge import JudgeError, Refusal
from core.people.roles import May
from storage.models import Attachment, ConcernState

router = APIRouter(prefix="/concerns")

# Shown or played in the page; everything else is only ever saved.
_SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PLAYED = frozenset(
    {"audio/mpeg", "audio/ogg", "audio/mp4", "audio/aac", "audio/wav", "audio/x-wav", "audio/amr"}
)
_NEEDS = {
    "reply": May.REPLY,
    "detail": May.REPLY,
    "comment": May.COMMENT,
    "release": May.QUARANTINE,
    "pass_on": May.QUARANTINE,
    "resume": May.REPLY,
}


@router.get("/{concern_id}")
def view(request: Request, desk: TheDesk, concern_id: RowId, visitor: Visitor = needs(May.READ)) -> Response:
    """Everything about one concern; a look behind a legal door is recorded."""
    return _view(request, desk, visitor, concern_id)


def _view(
    request: Request, desk: Desk, visitor: Visitor, concern_id: int, *, problem: str = "", words: str = ""
) -> Response:
    with desk.database.read() as session:
        found = one.read(session, visitor.scope, concern_id)
        units = units_of(session, visitor.scope)
    if found is None:
        raise Refused(404)
    if found.concern.state == ConcernState.QUARANTINED and not problem:
        with desk.database.write() as session:
            judge.note_reading(session, visitor.scope, found.concern, now=desk.now())
    return desk.page(
        request,
        "concern.html",
        visitor,
        found=found,
        concern=found.concern,
        units=units,
        field_choices=[(f.code, f.label) for f in fields()],
        reasons=[(r, say(f"reason.{r}")) for r in Refusal],
        sure=find.SURE,
        now=desk.now(),
        shown=_SHOWN,
        played=_PLAYED,
        problem=problem,
        words=words,
        status=422 if problem else 200,
    )


@router.post("/{concern_id}/do/{what}")
def act(
    request: Request,
    desk: TheDesk,
    concern_id: RowId,
    what: str,
    form: Form,
    visitor: Visitor = needs(May.READ),
) -> Response:
    """Write to the citizen, ask, note, release or pass on."""
    if what not in _NEEDS:
        raise Refused(404)
    if not visitor.scope.may(_NEEDS[what]):
        raise Refused(403)
    words = text_of(form, "words", most=1_500)
    scope, now = visitor.scope, desk.now()
    with desk.database.read() as session:
        if one.visible(session, scope, concern_id) is None:
            raise Refused(404)
    try:
        with desk.database.write() as session:
            match what:
                case "reply":
                    judge.reply(session, scope, concern_id, words, now=now)
                case "detail":
                    judge.ask_for_detail(session, scope, concern_id, words, now=now)
                case "comment":
                    judge.comment(session, scope, concern_id, words, now=now)
                case "release":
                    judge.release(session, scope, concern_id, prefix=desk.settings.code_prefix, now=now)
                case "resume":
                    judge.resume_bot(session, scope, concern_id, now=now)
                case _:
                    judge.pass_on(session, scope, concern_id, words, now=now)
    except JudgeError as error:
        return _view(request, desk, visitor, concern_id, problem=say(f"judge.{error.code}"), words=words)
    return go(f"/concerns/{concern_id}", done=f"concern_{what}")


@router.get("/{concern_id}/files/{attachment_id}")
def file(
    desk: TheDesk, concern_id: RowId, attachment_id: RowId, visitor: Visitor = needs(May.READ)
) -> Response:
    """An attachment: pictures and sound as what they are, anything else as bytes to save."""
    with desk.database.read() as session:
        concern = one.visible(session, visitor.scope, concern_id)
        row = session.scalar(
            select(Attachment).where(Attachment.id == attachment_id, Attachment.concern_id == concern_id)
        )
    if concern is None or row is None or not row.path:
        raise Refused(404)
    folder = desk.settings.attachments_dir.resolve()
    path = (folder / row.path).resolve()
    if path.parent != folder or not path.is_file():
        raise Refused(404)
    kind = (row.mime_type or "").partition(";")[0].strip().lower()
    inline = kind in _SHOWN | _PLAYED
    name = f"{concern.code or concern.id}-{row.id}{path.suffix if inline else '.bin'}"
    return FileResponse(
        path,
        media_type=kind if inline else "application/octet-stream",
        filename=name,
        content_disposition_type="inline" if inline else "attachment",
        headers={"Content-Security-Policy": "default-src 'none'; sandbox"},
    )

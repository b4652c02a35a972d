"""What everybody in the hall may open without a login: the projector's view, and the form for a question."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from functools import lru_cache
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from console.access import Form, TheDesk, csrf_of, visit_token
from console.desk import Desk, Refused, text_of
from console.pages.live import address_of
from console.qr import qr_svg
from console.words import say
from core.doors import DoorModel, check_door, model_file
from core.live import hall, proceedings
from core.live.proceedings import LiveError
from storage.models import DialogueSession, LiveRoom, QuestionState

router = APIRouter(prefix="/live/{token}")

Token = Annotated[str, Path(min_length=10, max_length=60)]
_SENSITIVE = frozenset({"to_cao", "khieu_nai", "khan", "xuc_pham", "quang_cao"})
# A hall shares one address on its Wi-Fi, so a browser's own count is the narrow one.
_PER_BROWSER, _PER_ADDRESS, _PER_ROOM = 4, 120, 600
_WITHIN_S = 600.0


class Throttle:
    """How often each of some keys came within ten minutes; kept in memory, keys only as salted hashes."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._times: dict[bytes, deque[float]] = {}
        self._lock = threading.Lock()

    def allows(self, limits: dict[str, int]) -> bool:
        """Whether none of the keys is over its limit; if so, each has come once more."""
        now = time.monotonic()
        hashed = {hmac.digest(self._salt, key.encode(), "sha256"): most for key, most in limits.items()}
        with self._lock:
            self._forget(now)
            if any(len(self._times.get(key, ())) >= most for key, most in hashed.items()):
                return False
            for key in hashed:
                self._times.setdefault(key, deque()).append(now)
            return True

    def _forget(self, now: float) -> None:
        for key in list(self._times):
            times = self._times[key]
            while times and now - times[0] > _WITHIN_S:
                times.popleft()
            if not times:
                del self._times[key]


_throttle = Throttle()


def _enter(session: Session, token: str) -> tuple[LiveRoom, DialogueSession]:
    found = hall.entered(session, token)
    if found is None:
        raise Refused(404)
    return found


@router.get("")
def projector(request: Request, desk: TheDesk, token: Token) -> Response:
    """For the big screen: the item under discussion and the questions that staff let through."""
    with desk.database.read() as session:
        room, found = _enter(session, token)
        shown = _shown(session, room)
    address = f"{address_of(request, desk, token)}/ask"
    return desk.page(
        request,
        "projector.html",
        None,
        found=found,
        room=room,
        **shown,
        mark=_mark(shown, room),
        qr=qr_svg(address, label=say("live.qr_label")) if room.takes_questions else "",
        address=address,
    )


def _shown(session: Session, room: LiveRoom) -> dict[str, Any]:
    """What the hall may see: no receipt codes, no names, no words of citizens that staff did not let through."""
    goes = proceedings.read(session, room.session_id)
    current = goes.current if goes else None
    return {
        "current": current
        and {"number": current.number, "label": current.item.label, "field": current.field},
        "total": len(goes.entries) if goes else 0,
        "following": [entry.item.label for entry in goes.waiting[:3]] if goes else [],
        "questions": [
            {"text": one.text, "asked": one.state == QuestionState.ASKED}
            for one in hall.questions(session, room.session_id, hall.SHOWN)[-6:]
        ],
    }


def _mark(shown: dict[str, Any], room: LiveRoom) -> str:
    return hashlib.sha256(repr((shown, room.takes_questions)).encode()).hexdigest()[:16]


@router.get("/pulse")
def pulse(desk: TheDesk, token: Token) -> Response:
    """Whether the projector's page is still what it should be."""
    with desk.database.read() as session:
        room, _ = _enter(session, token)
        shown = _shown(session, room)
    return JSONResponse({"mark": _mark(shown, room)})


@router.get("/ask")
def form(request: Request, desk: TheDesk, token: Token) -> Response:
    """The form for a question, on a phone."""
    with desk.database.read() as session:
        room, found = _enter(session, token)
    return _form(request, desk, room, found)


def _form(
    request: Request,
    desk: Desk,
    room: LiveRoom,
    found: DialogueSession,
    *,
    words: str = "",
    problem: str = "",
    sent: str = "",
    status: int = 200,
) -> Response:
    visit, set_cookie = visit_token(request)
    response = desk.page(
        request,
        "ask.html",
        None,
        found=found,
        room=room,
        csrf=csrf_of(visit),
        words=words,
        most=hall.MOST_LETTERS,
        problem=problem,
        sent=sent,
        where=desk.settings.reception_address,
        status=status,
    )
    set_cookie(response)
    return response


@router.post("/ask")
def ask(request: Request, desk: TheDesk, token: Token, form: Form) -> Response:
    """Keep a question; who sends too many waits, and what knocks at a legal door is told where to go."""
    words = text_of(form, "words", most=hall.MOST_LETTERS + 500)
    with desk.database.read() as session:
        room, found = _enter(session, token)
    if text_of(form, "website", most=200):
        # Nobody sees this field; only programs fill it in. They are thanked like everybody.
        return _form(request, desk, room, found, sent="thanks")
    visit, _ = visit_token(request)
    address = request.client.host if request.client else ""
    limits = {
        f"browser:{token}:{visit}": _PER_BROWSER,
        f"address:{token}:{address}": _PER_ADDRESS,
        f"room:{token}": _PER_ROOM,
    }
    if words and room.takes_questions and not _throttle.allows(limits):
        return _form(request, desk, room, found, words=words, problem=say("live.too_many"), status=429)
    try:
        with desk.database.write() as session:
            kept = hall.ask(session, room, words, is_sensitive=_judge_of(desk), now=desk.now())
            state = kept.state
    except LiveError as error:
        problem = say(f"live.{error.code}", most=hall.MOST_LETTERS)
        return _form(request, desk, room, found, words=words, problem=problem, status=422)
    return _form(request, desk, room, found, sent="held" if state == QuestionState.HELD else "thanks")


def _judge_of(desk: Desk) -> Any:
    model = _doors(model_file(desk.settings.models_dir))

    def is_sensitive(words: str) -> bool:
        return model is not None and check_door(words, model=model).door in _SENSITIVE

    return is_sensitive


@lru_cache(maxsize=2)
def _doors(file: File) -> DoorModel | None:
    """Without a trained model every question still waits for a member of staff."""
    return DoorModel.load(file) if file.is_file() else None

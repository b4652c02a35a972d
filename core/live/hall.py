"""The public side of a session: a token that cannot be guessed, and questions that staff let through."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.live.proceedings import LiveError
from core.text.normal import clean
from storage.models import DialogueSession, LiveQuestion, LiveRoom, QuestionState

MOST_LETTERS = 500
SHOWN = (QuestionState.APPROVED, QuestionState.ASKED)
_DECISIONS: dict[QuestionState, tuple[QuestionState, ...]] = {
    QuestionState.APPROVED: (QuestionState.WAITING, QuestionState.REFUSED, QuestionState.ASKED),
    QuestionState.REFUSED: (QuestionState.WAITING, QuestionState.APPROVED, QuestionState.HELD),
    QuestionState.ASKED: (QuestionState.APPROVED,),
}
REASONS = ("on_agenda", "not_a_question", "personal", "improper")
_MOST_SHOWN = 200


def room(session: Session, session_id: int) -> LiveRoom | None:
    """The room of a session, if one was ever opened."""
    return session.get(LiveRoom, session_id)


def entered(session: Session, token: str) -> tuple[LiveRoom, DialogueSession] | None:
    """The open room behind a token, and its session; None for a wrong, an old or a closed one alike."""
    found = session.execute(
        select(LiveRoom, DialogueSession)
        .join(DialogueSession, DialogueSession.id == LiveRoom.session_id)
        .where(LiveRoom.token == token, LiveRoom.is_open.is_(True))
    ).one_or_none()
    return (found[0], found[1]) if found else None


def arrange(session: Session, session_id: int, *, is_open: bool, questions: bool, now: datetime) -> LiveRoom:
    """Open or close the projector and the questions; the link stays the same."""
    found = session.get(LiveRoom, session_id)
    if found is None:
        found = LiveRoom(session_id=session_id, token=_token(), made_at=now)
        session.add(found)
    found.is_open, found.takes_questions = is_open, is_open and questions
    session.flush()
    return found


def renew(session: Session, session_id: int, *, now: datetime) -> None:
    """A new link; the old one leads nowhere from now on. Raises `LiveError`."""
    found = session.get(LiveRoom, session_id)
    if found is None:
        raise LiveError("no_room")
    found.token, found.made_at = _token(), now


def _token() -> str:
    return secrets.token_urlsafe(24)


def ask(
    session: Session, found: LiveRoom, text: str, *, is_sensitive: Callable[[str], bool], now: datetime
) -> LiveQuestion:
    """Keep a question for staff to judge; one that knocks at a legal door is held. Raises `LiveError`."""
    words = clean(text).strip()
    if not found.takes_questions:
        raise LiveError("questions_closed")
    if not words:
        raise LiveError("no_words")
    if len(words) > MOST_LETTERS:
        raise LiveError("too_long")
    state = QuestionState.HELD if is_sensitive(words) else QuestionState.WAITING
    question = LiveQuestion(session_id=found.session_id, text=words, state=state, created_at=now)
    session.add(question)
    session.flush()
    return question


def decide(
    session: Session,
    session_id: int,
    question_id: int,
    state: QuestionState,
    *,
    reason: str = "",
    held_too: bool,
    by: str,
    now: datetime,
) -> None:
    """Let a question through, refuse it with a reason, or note that it was asked. Raises `LiveError`.

    What is held never goes to the hall; only who may look behind legal doors (`held_too`) can close it.
    """
    question = session.scalar(
        select(LiveQuestion)
        .where(LiveQuestion.id == question_id, LiveQuestion.session_id == session_id)
        .with_for_update()
    )
    if question is None or (question.state == QuestionState.HELD and not held_too):
        raise LiveError("unknown_question")
    if question.state not in _DECISIONS.get(state, ()):
        raise LiveError("wrong_state")
    if state == QuestionState.REFUSED and reason not in REASONS:
        raise LiveError("no_reason")
    question.state, question.reason = state, reason
    question.decided_by, question.decided_at = by, now
    session.flush()


def questions(session: Session, session_id: int, states: Sequence[QuestionState]) -> Sequence[LiveQuestion]:
    """Questions in these states, oldest first; one query."""
    return session.scalars(
        select(LiveQuestion)
        .where(LiveQuestion.session_id == session_id, LiveQuestion.state.in_(states))
        .order_by(LiveQuestion.id)
        .limit(_MOST_SHOWN)
    ).all()

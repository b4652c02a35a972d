"""What staff decide about concerns, one or many at once: each decision is an event, and told where it matters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from core.fields.catalogue import field_label
from core.fields.corrections import FIELD_CORRECTED
from core.inbox.one import message_key
from core.intake import concerns as records
from core.intake.reading import NORMAL_DOOR
from core.outbox import queue
from core.outbox.port import Choice
from core.people.roles import Scope
from core.sessions import lifecycle
from core.text.normal import clean
from core.wording import CITIZEN
from storage.models import (
    Concern,
    ConcernEvent,
    ConcernState,
    ConcernVector,
    Contact,
    OutboundKind,
    TopicMember,
    Unit,
)

MOST_AT_ONCE = 500
_WORDS = 1_500
_OPEN = (ConcernState.RECEIVED, ConcernState.NEEDS_DETAIL, ConcernState.ON_AGENDA)


class Refusal(StrEnum):
    """Why a concern is not taken; the citizen reads the reason in words."""

    NOT_OURS = "not_ours"
    REPEATED = "repeated"
    ANSWERED_BEFORE = "answered_before"
    OTHER_SUBJECT = "other_subject"
    UNCLEAR = "unclear"
    OTHERS_DATA = "others_data"
    SECRET = "secret"  # A reason, not a password.
    INSULT = "insult"
    ADVERTISING = "advertising"
    KHIEU_NAI = "khieu_nai"
    TO_CAO = "to_cao"


# These doors lead out of the ordinary list at once.
_DOORS = {Refusal.KHIEU_NAI: "khieu_nai", Refusal.TO_CAO: "to_cao"}


class JudgeError(ValueError):
    """Nothing was changed. `code`: nothing_chosen, unknown_field, unknown_unit, no_words, wrong_state."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def put_in_field(session: Session, scope: Scope, ids: Sequence[int], code: str, *, now: datetime) -> int:
    """Put concerns into a field for good; returns how many changed. The machine learns from it."""
    if field_label(code) is None:
        raise JudgeError("unknown_field")
    changed = [c for c in _chosen(session, scope, ids) if c.field_code != code or c.field_confidence != 1.0]
    for concern in changed:
        detail = {"from": concern.field_code, "to": code}
        _note(session, concern, FIELD_CORRECTED, scope, now, detail)
        concern.field_code, concern.field_confidence = code, 1.0
    session.flush()
    return len(changed)


def assign(session: Session, scope: Scope, ids: Sequence[int], unit_code: str, *, now: datetime) -> int:
    """Ask a unit to prepare the answer; an empty code takes the task back."""
    unit = session.get(Unit, unit_code) if unit_code else None
    if unit_code and (unit is None or scope.unit_code not in (unit.code, unit.parent_code)):
        raise JudgeError("unknown_unit")
    changed = [c for c in _chosen(session, scope, ids) if c.handler_code != (unit_code or None)]
    for concern in changed:
        concern.handler_code = unit_code or None
        _note(session, concern, "assigned", scope, now, {"unit": unit_code})
    session.flush()
    return len(changed)


def refuse(
    session: Session, scope: Scope, ids: Sequence[int], reason: Refusal, *, reception: str, now: datetime
) -> int:
    """Leave open concerns out for a coded reason, and tell each author; returns how many."""
    chosen = [c for c in _chosen(session, scope, ids) if c.state in _OPEN]
    door = _DOORS.get(reason)
    events = []
    for concern in chosen:
        concern.state = ConcernState.QUARANTINED if door else ConcernState.NOT_LISTED
        if door:
            concern.door, concern.door_reasons, concern.session_id = door, [], None
        kind = "quarantined" if door else "not_listed"
        events.append(_note(session, concern, kind, scope, now, {"reason": reason}))
    if door:
        _take_out_of_topics(session, [c.id for c in chosen])
    session.flush()
    text = CITIZEN.say(f"refusal.{reason}", reception=reception)
    _tell(
        session, chosen, events, lambda c: CITIZEN.say("refusal.told", code=c.code or "", why=text), now=now
    )
    return len(chosen)


def take_back(session: Session, scope: Scope, ids: Sequence[int], *, now: datetime) -> int:
    """Take up again what was left out or waited for words."""
    chosen = [
        c
        for c in _chosen(session, scope, ids)
        if c.state in (ConcernState.NOT_LISTED, ConcernState.NEEDS_DETAIL)
    ]
    for concern in chosen:
        concern.state = ConcernState.RECEIVED
        _note(session, concern, "restored", scope, now, {})
    session.flush()
    return len(chosen)


def ask_for_detail(session: Session, scope: Scope, concern_id: int, words: str, *, now: datetime) -> None:
    """Ask the author for what is missing; their next words can be added with one tap."""
    concern = _one(session, scope, concern_id)
    if concern.state not in _OPEN:
        raise JudgeError("wrong_state")
    words = _words(words)
    concern.state = ConcernState.NEEDS_DETAIL
    event = _note(session, concern, "detail_asked", scope, now, {})
    session.flush()
    add = Choice(CITIZEN.say("concern.change_add"), f"change:add:{concern.id}")
    _tell(
        session,
        [concern],
        [event],
        lambda c: CITIZEN.say("staff.asks", code=c.code or "", text=words),
        choices=(add,),
        now=now,
    )


def reply(session: Session, scope: Scope, concern_id: int, words: str, *, now: datetime) -> None:
    """Write to the author in their chat."""
    concern = _one(session, scope, concern_id)
    words = _words(words)
    event = _note(session, concern, "replied", scope, now, {})
    session.flush()
    _tell(
        session,
        [concern],
        [event],
        lambda c: CITIZEN.say("staff.says", code=c.code or "", text=words),
        now=now,
    )


def comment(session: Session, scope: Scope, concern_id: int, words: str, *, now: datetime) -> None:
    """A note among staff; the citizen never reads it."""
    concern = _one(session, scope, concern_id)
    _note(session, concern, "comment", scope, now, {"text": _words(words)})
    session.flush()


def resume_bot(session: Session, scope: Scope, concern_id: int, *, now: datetime) -> None:
    """The clerk who wrote by hand is done: the bot answers the author again."""
    concern = _one(session, scope, concern_id)
    contact = session.get_one(Contact, concern.contact_id)
    if contact.bot_paused_until is None or contact.bot_paused_until <= now:
        raise JudgeError("wrong_state")
    contact.bot_paused_until = None
    _note(session, concern, "bot_resumed", scope, now, {})


def release(session: Session, scope: Scope, concern_id: int, *, prefix: str, now: datetime) -> str:
    """A person found that it is an ordinary concern after all: it gets a code and its author hears so."""
    concern = _one(session, scope, concern_id)
    if concern.state != ConcernState.QUARANTINED:
        raise JudgeError("wrong_state")
    concern.state, concern.door, concern.door_reasons = ConcernState.RECEIVED, NORMAL_DOOR, []
    concern.code = concern.code or records.next_code(session, prefix=prefix, now=now)
    concern.submitted_at = concern.submitted_at or now
    target = lifecycle.collecting_for(session, unit_code=concern.unit_code, now=now)
    concern.session_id = target.id if target else None
    event = _note(session, concern, "released", scope, now, {})
    session.flush()
    _tell(session, [concern], [event], lambda c: CITIZEN.say("staff.released", code=c.code or ""), now=now)
    return concern.code


def pass_on(session: Session, scope: Scope, concern_id: int, body: str, *, now: datetime) -> None:
    """Record to which competent body the duty officer handed what stands behind a legal door."""
    concern = _one(session, scope, concern_id)
    if concern.state != ConcernState.QUARANTINED:
        raise JudgeError("wrong_state")
    _note(session, concern, "passed_on", scope, now, {"to": _words(body)[:200]})
    session.flush()


def note_reading(session: Session, scope: Scope, concern: Concern, *, now: datetime) -> None:
    """Who read what was told in confidence, and when."""
    _note(session, concern, "read", scope, now, {})


def _chosen(session: Session, scope: Scope, ids: Sequence[int]) -> Sequence[Concern]:
    if not ids:
        raise JudgeError("nothing_chosen")
    query = select(Concern).where(
        Concern.id.in_(list(ids)[:MOST_AT_ONCE]), scope.concerns(), Concern.erased_at.is_(None)
    )
    return session.scalars(
        query.where(or_(Concern.state != ConcernState.QUARANTINED)).order_by(Concern.id)
    ).all()


def _one(session: Session, scope: Scope, concern_id: int) -> Concern:
    found = session.scalar(
        select(Concern).where(Concern.id == concern_id, scope.concerns(), Concern.erased_at.is_(None))
    )
    if found is None:
        raise JudgeError("nothing_chosen")
    return found


def _words(words: str) -> str:
    words = clean(words)[:_WORDS]
    if not words:
        raise JudgeError("no_words")
    return words


def _note(
    session: Session, concern: Concern, kind: str, scope: Scope, now: datetime, detail: dict[str, Any]
) -> ConcernEvent:
    event = ConcernEvent(concern_id=concern.id, kind=kind, at=now, actor=scope.actor, detail=detail)
    session.add(event)
    return event


def _tell(
    session: Session,
    concerns: Sequence[Concern],
    events: Sequence[ConcernEvent],
    words: Any,
    *,
    choices: Sequence[Choice] = (),
    now: datetime,
) -> None:
    contacts = {
        contact.id: contact
        for contact in session.scalars(
            select(Contact).where(Contact.id.in_({c.contact_id for c in concerns}))
        )
    }
    for concern, event in zip(concerns, events, strict=True):
        contact = contacts[concern.contact_id]
        queue.enqueue(
            session,
            contact,
            kind=OutboundKind.NOTICE,
            dedupe_key=message_key(concern.id, event.id),
            text=words(concern),
            choices=choices,
            now=now,
        )
        if choices:
            contact.dialogue = {**contact.dialogue, "choices": [[c.label, c.value] for c in choices]}
    session.flush()


def _take_out_of_topics(session: Session, ids: Sequence[int]) -> None:
    session.execute(delete(TopicMember).where(TopicMember.concern_id.in_(ids)))
    session.execute(delete(ConcernVector).where(ConcernVector.concern_id.in_(ids)))

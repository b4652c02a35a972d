"""The concern as a record: told in parts, confirmed, numbered, changed and withdrawn, each with its event."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.fields.corrections import FIELD_CORRECTED
from core.intake.reading import NORMAL_DOOR, KnownConcern, Reading
from core.intake.receive import attachments_of
from core.intake.turn import Turn
from core.outbox.port import IncomingKind
from core.people import joined
from core.sessions import lifecycle
from core.text.normal import fold
from core.topics import newcomer
from core.wording import local
from storage.models import (
    Attachment,
    CodeCounter,
    Concern,
    ConcernEvent,
    ConcernPart,
    ConcernState,
    ConcernVector,
    Inbound,
    Support,
)

# Two messages with the same words within this time are one person saying it again, not a second matter.
REPEAT_WINDOW = timedelta(days=7)
_EDITABLE = (ConcernState.DRAFT, ConcernState.RECEIVED, ConcernState.NEEDS_DETAIL)
# The nearest neighbours are looked for among this many newest concerns of the session and unit.
_SIMILAR_AMONG = 2_000


def text_key(text: str) -> str:
    """Equal for texts that differ only in case, diacritics and spacing."""
    return hashlib.sha256(" ".join(fold(text).split()).encode()).hexdigest()[:32]


def add_event(
    session: Session, concern_id: int, kind: str, *, actor: str, now: datetime, **detail: Any
) -> None:
    """Write one event of a concern's history."""
    session.add(ConcernEvent(concern_id=concern_id, kind=kind, at=now, actor=actor, detail=detail))


def find_repeat(turn: Turn, text: str) -> Concern | None:
    """A concern that this person already sent in the same words, recently."""
    return turn.session.scalar(
        select(Concern)
        .where(
            Concern.citizen_id == turn.citizen.id,
            Concern.text_key == text_key(text),
            Concern.state.not_in((ConcernState.DRAFT, ConcernState.WITHDRAWN)),
            Concern.created_at > turn.now - REPEAT_WINDOW,
            Concern.erased_at.is_(None),
        )
        .order_by(Concern.id.desc())
        .limit(1)
    )


def open_draft(turn: Turn, messages: Sequence[Inbound], *, spoken: str = "") -> Concern:
    """Begin a concern from one or several messages (those held before consent); classifies the whole text.

    `spoken` are the confirmed words of a voice note, the only message then.
    """
    told = [(message, message.text or spoken) for message in messages]
    draft = Concern(
        citizen_id=turn.citizen.id,
        contact_id=turn.contact.id,
        unit_code=turn.citizen.unit_code,
        first_inbound_id=messages[0].id,
        text="",
        text_key="",
        created_at=turn.now,
    )
    turn.session.add(draft)
    understand(turn, draft, "\n".join(text for _, text in told if text))
    turn.session.flush()
    for message, text in told:
        if text:
            turn.session.add(
                ConcernPart(concern_id=draft.id, inbound_id=message.id, text=text, at=message.occurred_at)
            )
    take_attachments(turn, draft)
    return draft


def add_words(session: Session, concern: Concern, words: str, *, inbound_id: int, at: datetime) -> None:
    """Put words that a message brought later (a voice note) at the end of a concern."""
    part = session.scalar(
        select(ConcernPart).where(ConcernPart.concern_id == concern.id, ConcernPart.inbound_id == inbound_id)
    )
    if part is None:
        session.add(ConcernPart(concern_id=concern.id, inbound_id=inbound_id, text=words, at=at))
    else:
        part.text = f"{part.text}\n{words}"
    concern.text = f"{concern.text}\n{words}" if concern.text else words
    concern.text_key = text_key(concern.text)
    concern.folded = fold(concern.text)


def append(turn: Turn, concern: Concern) -> bool:
    """Add the turn's words to a concern; False when it says them already."""
    known = select(ConcernPart.text).where(ConcernPart.concern_id == concern.id)
    if text_key(turn.text) in {text_key(t) for t in turn.session.scalars(known)}:
        return False
    turn.session.add(
        ConcernPart(
            concern_id=concern.id, inbound_id=turn.inbound.id, text=turn.text, at=turn.inbound.occurred_at
        )
    )
    understand(turn, concern, f"{concern.text}\n{turn.text}" if concern.text else turn.text)
    return True


def rewrite(turn: Turn, concern: Concern, text: str) -> None:
    """Replace the words of a concern by the citizen's own new ones; what stood before goes to the event."""
    turn.session.execute(delete(ConcernPart).where(ConcernPart.concern_id == concern.id))
    turn.session.add(
        ConcernPart(concern_id=concern.id, inbound_id=turn.inbound.id, text=text, at=turn.inbound.occurred_at)
    )
    understand(turn, concern, text)


def edit_part(turn: Turn, message_id: str) -> Concern | None:
    """Apply a platform's "edited message" to its part; None when that is in no open concern.

    `message_id` is the platform's; a platform may number its events (Telegram's updates) differently from
    its messages, so both are compared among the few parts of this person's open concerns.
    """
    rows = turn.session.execute(
        select(ConcernPart, Inbound.external_id, Inbound.payload)
        .join(Inbound, Inbound.id == ConcernPart.inbound_id)
        .join(Concern, Concern.id == ConcernPart.concern_id)
        .where(Inbound.contact_id == turn.contact.id, Concern.state.in_(_EDITABLE))
    ).all()
    told = [row[0] for row in rows if message_id in (row[1], *row[2].get("refers_to", []))]
    if len(told) != 1 or not turn.text:
        return None  # A message of several matters has become several concerns: each is changed by its code.
    told[0].text = turn.text
    turn.session.flush()
    concern = turn.session.get_one(Concern, told[0].concern_id)
    parts = turn.session.scalars(
        select(ConcernPart.text).where(ConcernPart.concern_id == concern.id).order_by(ConcernPart.id)
    )
    understand(turn, concern, "\n".join(parts))
    return concern


def understand(turn: Turn, concern: Concern, text: str) -> None:
    """Set everything that follows from a concern's words; what the citizen said about its door stays."""
    reading = turn.services.reader.read(text)
    said = _said_about(turn.session, concern)
    concern.text = text
    concern.text_key = text_key(text)
    concern.folded = fold(text)
    if FIELD_CORRECTED not in said:  # A clerk's word outlives the citizen's edits.
        concern.field_code = reading.field_code
        concern.field_confidence = reading.field_confidence
    concern.place_text = reading.place_text
    concern.unit_code = reading.unit_code or turn.citizen.unit_code or concern.unit_code
    concern.door = NORMAL_DOOR if "released" in said else reading.door
    concern.door_reasons = [] if "released" in said else list(reading.door_reasons)
    target = lifecycle.collecting_for(turn.session, unit_code=concern.unit_code, now=turn.now)
    concern.session_id = target.id if target else None
    turn.session.flush()
    _store_vector(turn.session, concern.id, reading)


def _said_about(session: Session, concern: Concern) -> frozenset[str]:
    """Which of the words of people that outweigh a machine's were said about a concern."""
    query = select(ConcernEvent.kind).where(
        ConcernEvent.concern_id == concern.id, ConcernEvent.kind.in_(("released", FIELD_CORRECTED))
    )
    return frozenset(session.scalars(query))


def _store_vector(session: Session, concern_id: int, reading: Reading) -> None:
    if reading.vector:
        themes = [list(entry) for entry in reading.themes]
        session.merge(
            ConcernVector(concern_id=concern_id, model=reading.model, vector=reading.vector, themes=themes)
        )


def submit(turn: Turn, concern: Concern) -> str:
    """Give the draft its receipt code and make it visible to staff; returns the code."""
    concern.code = next_code(turn.session, prefix=turn.services.settings.code_prefix, now=turn.now)
    concern.state = ConcernState.RECEIVED
    concern.submitted_at = turn.now
    add_event(turn.session, concern.id, "submitted", actor="citizen", now=turn.now)
    _join_topic(turn, concern)
    return concern.code


def _join_topic(turn: Turn, concern: Concern) -> None:
    reading = turn.services.reader.read(concern.text)
    if concern.session_id is None or not reading.white:
        return
    newcomer.place(
        turn.session,
        session_id=concern.session_id,
        concern_id=concern.id,
        text=concern.text,
        themes=tuple(reading.themes),
        vector=np.frombuffer(reading.white, dtype="<f4"),
        field_code=concern.field_code,
        placed_by="system",
        now=turn.now,
    )


def next_code(session: Session, *, prefix: str, now: datetime) -> str:
    """The next receipt code of the local year; one statement, so two workers never get the same number."""
    year = local(now).year % 100
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(CodeCounter).values(prefix=prefix, year=year, last=1)
    number = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["prefix", "year"], set_={"last": CodeCounter.last + 1}
        ).returning(CodeCounter.last)
    )
    return f"{prefix}-{year:02d}-{number:05d}"


def quarantine(turn: Turn, concern: Concern) -> None:
    """Put a draft behind a legal door: not grouped, not exported, read by the duty officer only."""
    concern.state = ConcernState.QUARANTINED
    concern.session_id = None
    turn.session.execute(delete(ConcernVector).where(ConcernVector.concern_id == concern.id))
    add_event(turn.session, concern.id, "quarantined", actor="system", now=turn.now, door=concern.door)


def release(turn: Turn, concern: Concern) -> None:
    """The citizen said that it is an ordinary concern: back to a draft that waits for confirmation."""
    reading = turn.services.reader.read(concern.text)
    concern.state = ConcernState.DRAFT
    concern.door = NORMAL_DOOR
    target = lifecycle.collecting_for(turn.session, unit_code=concern.unit_code, now=turn.now)
    concern.session_id = target.id if target else None
    _store_vector(turn.session, concern.id, reading)
    add_event(turn.session, concern.id, "released", actor="citizen", now=turn.now, was=concern.door_reasons)


def discard(turn: Turn, concern: Concern) -> None:
    """Forget a draft that the citizen does not want to send; the messages' text goes with it."""
    messages = select(ConcernPart.inbound_id).where(ConcernPart.concern_id == concern.id)
    ids = list(turn.session.scalars(messages))
    turn.session.execute(delete(Attachment).where(Attachment.concern_id == concern.id))
    turn.session.execute(delete(ConcernEvent).where(ConcernEvent.concern_id == concern.id))
    turn.session.execute(delete(ConcernVector).where(ConcernVector.concern_id == concern.id))
    turn.session.execute(delete(ConcernPart).where(ConcernPart.concern_id == concern.id))
    turn.session.execute(delete(Concern).where(Concern.id == concern.id))
    turn.session.execute(update(Inbound).where(Inbound.id.in_(ids)).values(text=None, payload={}))


def withdraw(turn: Turn, concern: Concern) -> None:
    """The citizen takes a sent concern back; its words stay until erased, but no list shows them."""
    concern.state = ConcernState.WITHDRAWN
    add_event(turn.session, concern.id, "withdrawn", actor="citizen", now=turn.now)
    joined.tell_withdrawn(turn.session, [concern.id], now=turn.now)


def may_change(concern: Concern) -> bool:
    """Whether the citizen can still edit or withdraw: not after it is on an agenda or answered."""
    return concern.state in _EDITABLE


def join(turn: Turn, target: Concern) -> int:
    """Add the person to somebody's concern, once; returns the number of distinct people."""
    already = turn.session.get(Support, (target.id, turn.citizen.id))
    if already is None and target.citizen_id != turn.citizen.id:
        turn.session.add(
            Support(
                concern_id=target.id,
                citizen_id=turn.citizen.id,
                contact_id=turn.contact.id,
                inbound_id=turn.inbound.id,
                at=turn.now,
            )
        )
        add_event(turn.session, target.id, "joined", actor="citizen", now=turn.now)
        turn.session.flush()
    return people_of(turn.session, target.id)


def people_of(session: Session, concern_id: int) -> int:
    """Distinct people behind one concern: its author and those who joined."""
    supporters = session.scalar(select(func.count()).where(Support.concern_id == concern_id))
    return 1 + (supporters or 0)


def known_nearby(turn: Turn, concern: Concern) -> list[KnownConcern]:
    """Concerns of the same session and unit by other people, with their vectors; three columns, one query."""
    rows = turn.session.execute(
        select(
            Concern.id,
            Concern.text,
            Concern.field_code,
            Concern.place_text,
            ConcernVector.vector,
            ConcernVector.themes,
            select(func.count()).where(Support.concern_id == Concern.id).scalar_subquery(),
        )
        .join(ConcernVector, ConcernVector.concern_id == Concern.id)
        .where(
            Concern.session_id == concern.session_id,
            Concern.unit_code == concern.unit_code,
            Concern.citizen_id != turn.citizen.id,
            Concern.state.in_((ConcernState.RECEIVED, ConcernState.ON_AGENDA)),
        )
        .order_by(Concern.id.desc())
        .limit(_SIMILAR_AMONG)
    )
    return [
        KnownConcern(
            row[0],
            row[1],
            row[2],
            row[4],
            people=1 + row[6],
            place_text=row[3],
            themes=tuple((name, chance) for name, chance in row[5] or ()),
        )
        for row in rows
    ]


def keep_attachments(turn: Turn, concern_id: int | None) -> list[str]:
    """Store the turn's photos, files, voice notes and locations; returns their kinds. Files come later."""
    kinds: list[str] = []
    for position, item in enumerate(attachments_of(turn.inbound)):
        source = dict(turn.inbound.payload["attachments"][position])
        turn.session.add(
            Attachment(
                contact_id=turn.contact.id,
                concern_id=concern_id,
                inbound_id=turn.inbound.id,
                position=position,
                kind=item.kind,
                source=source,
                state="kept" if item.kind is IncomingKind.LOCATION else "pending",
                mime_type=item.mime_type,
                size_bytes=item.size_bytes,
                created_at=turn.now,
            )
        )
        kinds.append(str(item.kind))
    return kinds


def take_attachments(turn: Turn, concern: Concern) -> None:
    """Give the conversation's attachments that have no concern yet to this one."""
    turn.session.execute(
        update(Attachment)
        .where(Attachment.contact_id == turn.contact.id, Attachment.concern_id.is_(None))
        .values(concern_id=concern.id)
    )


def by_code(turn: Turn, code: str) -> Concern | None:
    """A concern of this person, or one that this person joined, by its receipt code."""
    joined = select(Support.concern_id).where(Support.citizen_id == turn.citizen.id)
    return turn.session.scalar(
        select(Concern).where(
            Concern.code == code,
            Concern.erased_at.is_(None),
            (Concern.citizen_id == turn.citizen.id) | Concern.id.in_(joined),
        )
    )


def mine(turn: Turn, concern_id: int) -> Concern | None:
    """A concern that this person wrote; choices carry ids, and an id of somebody else's must open nothing."""
    concern = turn.session.get(Concern, concern_id)
    return concern if concern is not None and concern.citizen_id == turn.citizen.id else None

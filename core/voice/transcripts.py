"""The record of what a voice note says: proposed by a model or typed by staff, confirmed by the citizen or
by staff. Only then do the words become part of a concern; the recording is kept beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.intake import concerns
from core.intake.turn import Turn, choice, quote
from core.outbox import queue
from core.outbox.port import IncomingKind
from core.text.normal import clean
from core.wording import CITIZEN
from storage.models import (
    Attachment,
    Citizen,
    Concern,
    ConcernState,
    ConsentState,
    Contact,
    OutboundKind,
    Transcript,
)

PROPOSED, CONFIRMED, REJECTED, FAILED = "proposed", "confirmed", "rejected", "failed"
# A recording that a model could not read so many times is left to staff.
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """A voice note that waits for words: `path` is relative to the attachments folder."""

    attachment_id: int
    path: str
    concern_code: str | None


def waiting(session: Session, *, for_staff: bool, limit: int) -> list[Waiting]:
    """Fetched voice notes of people who consented, without usable words, oldest first.

    `for_staff` adds those that a model got wrong or could not read.
    """
    states = (REJECTED, FAILED) if for_staff else ()
    retry = (
        Transcript.state.in_(states)
        if for_staff
        else ((Transcript.state == FAILED) & (Transcript.attempts < MOST_ATTEMPTS))
    )
    rows = session.execute(
        select(Attachment.id, Attachment.path, Concern.code)
        .outerjoin(Transcript, Transcript.attachment_id == Attachment.id)
        .outerjoin(Concern, Concern.id == Attachment.concern_id)
        .join(Contact, Contact.id == Attachment.contact_id)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(
            # Before consent a recording is only held; without a commune its words could begin nothing.
            Citizen.consent == ConsentState.GRANTED,
            Citizen.unit_code.is_not(None),
            Attachment.kind == IncomingKind.VOICE,
            Attachment.state == "kept",
            Attachment.path.is_not(None),
            Transcript.attachment_id.is_(None) | retry,
        )
        .order_by(Attachment.id)
        .limit(limit)
    )
    return [Waiting(row[0], row[1] or "", row[2]) for row in rows]


def record_failure(session: Session, attachment_id: int, *, made_by: str, now: datetime) -> None:
    """A model could not make words of a recording; staff will."""
    found = session.get(Transcript, attachment_id)
    if found is None:
        session.add(
            Transcript(
                attachment_id=attachment_id, text="", state=FAILED, made_by=made_by, attempts=1, at=now
            )
        )
    else:
        found.attempts += 1


def propose(session: Session, attachment_id: int, text: str, *, made_by: str, now: datetime) -> bool:
    """Keep words for a voice note and ask the citizen whether they are right.

    False when the note is gone or its words are confirmed already. A concern that was sent in the meantime
    gets the words by `confirm_by_staff` instead. The caller commits.
    """
    attachment = session.get(Attachment, attachment_id)
    known = session.get(Transcript, attachment_id)
    words = clean(text)
    if attachment is None or not words or (known is not None and known.state == CONFIRMED):
        return False
    attempts = known.attempts + 1 if known else 1
    session.merge(
        Transcript(
            attachment_id=attachment_id,
            text=words,
            state=PROPOSED,
            made_by=made_by,
            attempts=attempts,
            at=now,
        )
    )
    _ask_citizen(session, attachment, words, attempts, now=now)
    return True


def _ask_citizen(session: Session, attachment: Attachment, words: str, number: int, *, now: datetime) -> None:
    contact = session.get_one(Contact, attachment.contact_id)
    choices = (
        choice("voice.right", f"voice:yes:{attachment.id}"),
        choice("voice.wrong", f"voice:no:{attachment.id}"),
    )
    queue.enqueue(
        session,
        contact,
        kind=OutboundKind.REPLY,
        dedupe_key=f"voice:{attachment.id}:{number}",
        text=CITIZEN.say("voice.heard", quote=quote(words, 600)),
        choices=choices,
        now=now,
    )
    contact.dialogue = {**contact.dialogue, "choices": [[c.label, c.value] for c in choices]}


def confirm_by_staff(
    session: Session, attachment_id: int, text: str, *, actor: str, now: datetime
) -> str | None:
    """Staff heard the recording of a concern that was sent and typed it: the words are added at once.

    Returns the receipt code, or None when the note belongs to no such concern (`propose` asks the citizen).
    """
    attachment = session.get(Attachment, attachment_id)
    concern = session.get(Concern, attachment.concern_id) if attachment and attachment.concern_id else None
    words = clean(text)
    if attachment is None or concern is None or concern.state == ConcernState.DRAFT or not words:
        return None
    session.merge(
        Transcript(
            attachment_id=attachment_id,
            text=words,
            state=CONFIRMED,
            made_by=actor,
            confirmed_by=actor,
            attempts=0,
            at=now,
        )
    )
    concerns.add_words(session, concern, words, inbound_id=attachment.inbound_id, at=attachment.created_at)
    concerns.add_event(session, concern.id, "voice_typed", actor=actor, now=now, attachment=attachment_id)
    return concern.code


def answer(turn: Turn, attachment_id: int, *, right: bool) -> str | None:
    """The citizen's word on what was understood; returns the words when they are confirmed just now.

    A note of somebody else, an old tap and a second tap change nothing.
    """
    attachment = turn.session.get(Attachment, attachment_id)
    transcript = turn.session.get(Transcript, attachment_id)
    if attachment is None or transcript is None or attachment.contact_id != turn.contact.id:
        return None
    if transcript.state != PROPOSED:
        return None
    transcript.state = CONFIRMED if right else REJECTED
    transcript.confirmed_by = "citizen" if right else None
    return transcript.text if right else None

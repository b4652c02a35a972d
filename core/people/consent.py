"""Consent and erasure: what was said before consent is held apart, and everything can be taken back."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from core.wording import CITIZEN
from storage.models import (
    ActionResult,
    Attachment,
    Citizen,
    Concern,
    ConcernEvent,
    ConcernPart,
    ConcernState,
    ConcernVector,
    ConsentRecord,
    ConsentState,
    Contact,
    Inbound,
    Outbound,
    OutboundState,
    Support,
)

PURPOSE_ANSWER = "P1"  # receive and answer my question
PURPOSE_ANNOUNCE = "P2"  # message me about sessions in my place


def grant(session: Session, citizen: Citizen, *, inbound_id: int, now: datetime) -> None:
    """Record consent to P1 with the version of the text that the person read."""
    citizen.consent = ConsentState.GRANTED
    citizen.consent_version = CITIZEN.say("consent.version")
    citizen.consent_at = now
    record(session, citizen, purpose=PURPOSE_ANSWER, granted=True, inbound_id=inbound_id, now=now)


def record(
    session: Session, citizen: Citizen, *, purpose: str, granted: bool, inbound_id: int | None, now: datetime
) -> None:
    """Keep proof of one decision about one purpose."""
    session.add(
        ConsentRecord(
            citizen_id=citizen.id,
            purpose=purpose,
            granted=granted,
            text_version=CITIZEN.say("consent.version"),
            inbound_id=inbound_id,
            at=now,
        )
    )


def refuse(session: Session, contact: Contact, citizen: Citizen, *, inbound_id: int, now: datetime) -> None:
    """Record the refusal and erase what was held apart."""
    citizen.consent = ConsentState.REFUSED
    record(session, citizen, purpose=PURPOSE_ANSWER, granted=False, inbound_id=inbound_id, now=now)
    _forget_messages(session, contact.id, now=now)


def erase(session: Session, contact: Contact, citizen: Citizen, *, now: datetime) -> list[str]:
    """Remove identity and raw text everywhere; returns paths of attachment files to delete after commit.

    Codes, fields, states and published answers stay: they name nobody. The contact's channel id is
    replaced by a one-way mark, so a later message of the same person starts anew.
    """
    paths = [
        p for p in session.scalars(select(Attachment.path).where(Attachment.contact_id == contact.id)) if p
    ]
    session.execute(delete(Attachment).where(Attachment.contact_id == contact.id))
    mine = select(Concern.id).where(Concern.citizen_id == citizen.id).scalar_subquery()
    session.execute(delete(ConcernVector).where(ConcernVector.concern_id.in_(mine)))
    session.execute(delete(ConcernPart).where(ConcernPart.concern_id.in_(mine)))
    session.execute(
        delete(Concern).where(Concern.citizen_id == citizen.id, Concern.state == ConcernState.DRAFT)
    )
    _close_unanswered(session, citizen, now=now)
    session.execute(
        update(Concern)
        .where(Concern.citizen_id == citizen.id)
        .values(text="", text_key="", place_text=None, door_reasons=[], erased_at=now)
    )
    session.execute(delete(Support).where(Support.citizen_id == citizen.id))
    session.execute(
        update(Outbound)
        .where(Outbound.contact_id == contact.id)
        .values(text="")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Outbound)
        .where(
            Outbound.contact_id == contact.id,
            Outbound.state.in_(
                (OutboundState.QUEUED, OutboundState.WAITING_FOR_CONTACT, OutboundState.TEMPORARY_FAILURE)
            ),
        )
        .values(state=OutboundState.CANCELLED)
    )
    _forget_messages(session, contact.id, now=now)
    record(session, citizen, purpose=PURPOSE_ANSWER, granted=False, inbound_id=None, now=now)
    citizen.consent = ConsentState.UNSET
    citizen.wants_announcements = False
    citizen.unit_code = None
    citizen.erased_at = now
    return paths


def _close_unanswered(session: Session, citizen: Citizen, *, now: datetime) -> None:
    """What was not answered yet is withdrawn with its words: nobody can be asked or told about it."""
    open_ids = session.scalars(
        select(Concern.id).where(
            Concern.citizen_id == citizen.id,
            Concern.state.not_in((ConcernState.ANSWERED, ConcernState.WITHDRAWN)),
        )
    ).all()
    session.execute(update(Concern).where(Concern.id.in_(open_ids)).values(state=ConcernState.WITHDRAWN))
    session.add_all(
        ConcernEvent(
            concern_id=concern_id, kind="withdrawn", at=now, actor="citizen", detail={"why": "erased"}
        )
        for concern_id in open_ids
    )


def mark_of(contact: Contact) -> str:
    """A one-way replacement of a channel id."""
    return "erased-" + hashlib.sha256(f"{contact.id}:{contact.external_id}".encode()).hexdigest()[:24]


def _forget_messages(session: Session, contact_id: int, *, now: datetime) -> None:
    messages = select(Inbound.id).where(Inbound.contact_id == contact_id).scalar_subquery()
    session.execute(delete(ActionResult).where(ActionResult.inbound_id.in_(messages)))
    session.execute(
        delete(Attachment).where(Attachment.contact_id == contact_id, Attachment.concern_id.is_(None))
    )
    session.execute(
        update(Inbound)
        .where(Inbound.contact_id == contact_id)
        .values(text=None, payload={}, snapshot=None, erased_at=now)
        .execution_options(synchronize_session=False)
    )


def erase_held(session: Session, *, hold_hours: int, now: datetime) -> int:
    """Erase what people sent before a choice that they never made; returns how many messages."""
    old = now - timedelta(hours=hold_hours)
    undecided = (
        select(Contact.id)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(Citizen.consent != ConsentState.GRANTED)
        .scalar_subquery()
    )
    result = session.execute(
        update(Inbound)
        .where(Inbound.contact_id.in_(undecided), Inbound.received_at < old, Inbound.erased_at.is_(None))
        .values(text=None, payload={}, snapshot=None, erased_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def delete_files(folder: Path, paths: list[str]) -> None:
    """Delete attachment files; one that is gone already is fine."""
    for path in paths:
        (folder / path).unlink(missing_ok=True)

"""Consent: what was said before it is held apart and erased on refusal, and every decision is kept as proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    CursorResult,
    Select,
    String,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.wording import CITIZEN
from storage.models import (
    ActionResult,
    Attachment,
    Citizen,
    ConsentRecord,
    ConsentState,
    Contact,
    Inbound,
    Outbound,
    OutboundState,
    StaffRequest,
)

PURPOSE_ANSWER = "P1"  # receive and answer my question
PURPOSE_ANNOUNCE = "P2"  # message me about sessions in my place
_MARK = "erased-"
# "At most 24 hours" must hold although the sweep comes only now and then.
_SWEEP_MARGIN = timedelta(minutes=15)
_UNSENT = (OutboundState.QUEUED, OutboundState.SENDING, OutboundState.TEMPORARY_FAILURE)


def grant(session: Session, citizen: Citizen, *, inbound_id: int, now: datetime) -> None:
    """Record consent to P1 with the version of the text that the person read."""
    citizen.consent = ConsentState.GRANTED
    citizen.consent_version = CITIZEN.say("consent.version")
    citizen.consent_at = now
    citizen.erased_at = None
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
    forget_messages(session, [contact.id], now=now)


def forget_messages(session: Session, contact_ids: Select[int] | Sequence[int], *, now: datetime) -> None:
    """Erase what these contacts wrote, and what only served to answer it. Files follow by the sweep."""
    messages = select(Inbound.id).where(Inbound.contact_id.in_(contact_ids)).scalar_subquery()
    session.execute(delete(ActionResult).where(ActionResult.inbound_id.in_(messages)))
    session.execute(
        delete(Attachment).where(Attachment.contact_id.in_(contact_ids), Attachment.concern_id.is_(None))
    )
    session.execute(
        update(Inbound)
        .where(Inbound.contact_id.in_(contact_ids))
        .values(text=None, payload={}, snapshot=None, erased_at=now)
        .execution_options(synchronize_session=False)
    )


def erase_held(session: Session, *, hold_hours: int, now: datetime) -> int:
    """Erase what people sent before a choice that they never made; returns how many messages.

    Runs as a sweep, so it erases a little before the promised hours are over.
    """
    old = now - timedelta(hours=hold_hours) + _SWEEP_MARGIN
    undecided = (
        select(Contact.id)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(Citizen.consent != ConsentState.GRANTED)
    )
    held = (
        Inbound.contact_id.in_(undecided.scalar_subquery()),
        Inbound.received_at < old,
        Inbound.erased_at.is_(None),
    )
    messages = select(Inbound.id).where(*held).scalar_subquery()
    session.execute(delete(Attachment).where(Attachment.inbound_id.in_(messages)))
    session.execute(delete(ActionResult).where(ActionResult.inbound_id.in_(messages)))
    result = session.execute(
        update(Inbound)
        .where(*held)
        .values(text=None, payload={}, snapshot=None, erased_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def forget_identities(session: Session, *, hold_hours: int, now: datetime, limit: int = 500) -> int:
    """Replace the channel ids of people without consent by marks that say nothing; returns how many.

    At once for those who had everything erased and have heard so, after the hold for those who refused
    or never chose. Whoever waits for a clerk, a turn or a reply is left for the next sweep; a later
    message of the same person starts anew.
    """
    unsent = exists().where(Outbound.contact_id == Contact.id, Outbound.state.in_(_UNSENT))
    waiting = exists().where(StaffRequest.contact_id == Contact.id, StaffRequest.state == "open")
    silent = func.coalesce(Contact.last_inbound_at, Contact.created_at) < now - timedelta(hours=hold_hours)
    ids = session.scalars(
        select(Contact.id)
        .join(Citizen, Citizen.id == Contact.citizen_id)
        .where(
            Citizen.consent != ConsentState.GRANTED,
            Contact.external_id.not_like(f"{_MARK}%"),
            Contact.turn_holder.is_(None),
            or_(Citizen.erased_at.is_not(None), silent),
            ~unsent,
            ~waiting,
        )
        .order_by(Contact.id)
        .limit(limit)
    ).all()
    mark = literal(_MARK)
    session.execute(
        update(Contact)
        .where(Contact.id.in_(ids))
        .values(external_id=mark + cast(Contact.id, String), dialogue={}, reachable=False)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Inbound)
        .where(Inbound.contact_id.in_(ids))
        .values(sender_id=mark + cast(Inbound.contact_id, String))
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Outbound)
        .where(Outbound.contact_id.in_(ids), Outbound.state == OutboundState.WAITING_FOR_CONTACT)
        .values(state=OutboundState.CANCELLED)
        .execution_options(synchronize_session=False)
    )
    return len(ids)

"""A person on a channel: found or made at the first event, reachable or not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storage.models import Citizen, ConsentState, Contact


def find_or_make(
    session: Session, *, channel: str, account_id: str, external_id: str, now: datetime
) -> Contact:
    """The contact of one platform user; a new one gets a citizen without consent.

    Nothing but the channel's id is stored before consent: it is needed to answer at all.
    """
    contact = _find(session, channel=channel, account_id=account_id, external_id=external_id)
    if contact is not None:
        return contact
    try:
        with session.begin_nested():
            citizen = Citizen(consent=ConsentState.UNSET, created_at=now)
            session.add(citizen)
            session.flush()
            contact = Contact(
                channel=channel,
                account_id=account_id,
                external_id=external_id,
                citizen_id=citizen.id,
                dialogue={},
                created_at=now,
            )
            session.add(contact)
        return contact
    except IntegrityError:
        # Two workers saw the person's first two messages at once; the other one was faster.
        winner = _find(session, channel=channel, account_id=account_id, external_id=external_id)
        if winner is None:
            raise
        return winner


def _find(session: Session, *, channel: str, account_id: str, external_id: str) -> Contact | None:
    return session.scalar(
        select(Contact).where(
            Contact.channel == channel,
            Contact.account_id == account_id,
            Contact.external_id == external_id,
        )
    )

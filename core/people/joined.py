"""People who joined somebody else's concern: told when it is taken back, so that their matter is not lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.outbox import queue
from core.wording import CITIZEN
from storage.models import Concern, Contact, OutboundKind, Support


def tell_withdrawn(session: Session, concern_ids: Sequence[int], *, now: datetime) -> int:
    """Write one notice to everyone who joined these concerns; returns how many. One query."""
    rows = session.execute(
        select(Concern.id, Concern.code, Contact)
        .join(Support, Support.concern_id == Concern.id)
        .join(Contact, Contact.id == Support.contact_id)
        .where(Concern.id.in_(concern_ids), Support.citizen_id != Concern.citizen_id)
        .order_by(Concern.id, Contact.id)
    ).all()
    for concern_id, code, contact in rows:
        queue.enqueue(
            session,
            contact,
            kind=OutboundKind.NOTICE,
            dedupe_key=f"withdrawn:{concern_id}:{contact.id}",
            text=CITIZEN.say("concern.joined_withdrawn", code=code),
            now=now,
        )
    return len(rows)

"""What platforms tell us afterwards: delivered, seen, echoes, gone. In any order, late, twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.outbox import digest
from storage.models import Contact, Outbound, OutboundKind, OutboundState

_MAY_HAVE_ARRIVED = (OutboundState.SENDING, OutboundState.SENT, OutboundState.UNKNOWN)


def apply_delivered(session: Session, contact: Contact, external_ids: Sequence[str], *, at: datetime) -> None:
    """Note the first time that a message was on the phone; an unknown one is known now."""
    _of(session, contact, external_ids, {"delivered_at": func.coalesce(Outbound.delivered_at, at)})


def apply_seen(session: Session, contact: Contact, external_ids: Sequence[str], *, at: datetime) -> None:
    """Seen means delivered too, whichever receipt came first."""
    _of(
        session,
        contact,
        external_ids,
        {
            "seen_at": func.coalesce(Outbound.seen_at, at),
            "delivered_at": func.coalesce(Outbound.delivered_at, at),
        },
    )


def _of(session: Session, contact: Contact, external_ids: Sequence[str], values: dict[str, object]) -> None:
    if not external_ids:
        return
    session.execute(
        update(Outbound)
        .where(
            Outbound.channel == contact.channel,
            Outbound.account_id == contact.account_id,
            Outbound.external_id.in_(external_ids),
            Outbound.state.in_(_MAY_HAVE_ARRIVED),
        )
        .values(**values, state=OutboundState.SENT)
        .execution_options(synchronize_session=False)
    )


def apply_echo(
    session: Session, contact: Contact, *, external_ids: Sequence[str], text: str | None, at: datetime
) -> bool:
    """Match the platform's echo of our own send to an unknown row; True when one was resolved.

    An echo carries the platform's id and the text, never our id. The oldest unknown row of the same
    conversation with the same text is the one; a row that already has this id needs nothing.
    """
    if not external_ids or text is None:
        return False
    known = session.scalar(
        select(Outbound.id).where(
            Outbound.channel == contact.channel,
            Outbound.account_id == contact.account_id,
            Outbound.external_id == external_ids[0],
        )
    )
    if known is not None:
        return False
    row = session.scalar(
        select(Outbound)
        .where(
            Outbound.contact_id == contact.id,
            Outbound.state == OutboundState.UNKNOWN,
            Outbound.text == text,
            Outbound.external_id.is_(None),
        )
        .order_by(Outbound.id)
        .limit(1)
    )
    if row is None:
        return False
    row.state = OutboundState.SENT
    row.external_id = external_ids[0]
    row.sent_at = at
    row.failure = None
    if row.kind == OutboundKind.DIGEST:
        digest.follow(session, [row.id])
    return True

"""Store what a platform sent, once, before anything else happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.outbox.port import Incoming, IncomingAttachment, IncomingKind
from core.text.normal import clean
from storage.models import Inbound, InboundState


def store(session: Session, events: Sequence[Incoming], *, now: datetime) -> int:
    """Insert the events as inbound rows; a repeated one changes nothing. Returns how many were new.

    One statement whatever the number of events. The caller commits before it answers the platform.
    """
    if not events:
        return 0
    rows = [_row(event, now=now) for event in events]
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(Inbound).values(rows).on_conflict_do_nothing().returning(Inbound.id)
    return len(session.scalars(statement).all())


def _row(event: Incoming, *, now: datetime) -> dict[str, Any]:
    return {
        "channel": event.channel,
        "account_id": event.account_id,
        "external_id": event.external_id,
        "sender_id": event.sender_id,
        "kind": event.kind,
        "text": None if event.text is None else clean(event.text),
        "payload": _payload(event),
        "occurred_at": event.occurred_at,
        "received_at": now,
        "state": InboundState.DONE if event.kind is IncomingKind.IGNORED else InboundState.RECEIVED,
        "attempts": 0,
        "next_attempt_at": now,
    }


def _payload(event: Incoming) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if event.attachments:
        payload["attachments"] = [_storable(asdict(a)) for a in event.attachments]
    if event.refers_to:
        payload["refers_to"] = list(event.refers_to)
    if event.human:
        payload["human"] = True
    if event.start_payload:
        payload["start_payload"] = clean(event.start_payload)
    return payload


def _storable(values: dict[str, Any]) -> dict[str, Any]:
    """People name their files; a NUL or a lone surrogate in a name would be refused by the database."""
    return {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}


def attachments_of(inbound: Inbound) -> list[IncomingAttachment]:
    """The attachments of a stored message, as the adapters know them."""
    return [
        IncomingAttachment(**{**stored, "kind": IncomingKind(stored["kind"])})
        for stored in inbound.payload.get("attachments", [])
    ]

"""Store what a platform sent, once, before anything else happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.outbox.port import Incoming, IncomingAttachment, IncomingKind
from core.text.normal import clean
from storage.models import Inbound, InboundState


@dataclass(frozen=True, slots=True)
class Stored:
    """A row that was new; `waiting` when somebody has to look at it."""

    inbound_id: int
    channel: str
    account_id: str
    sender_id: str
    waiting: bool


def _insert(make: Callable[[Table], Any]) -> Any:
    table = cast(Table, Inbound.__table__)
    columns = table.c
    return (
        make(table)
        .on_conflict_do_nothing()
        .returning(
            columns.id,
            columns.channel,
            columns.account_id,
            columns.sender_id,
            columns.state == InboundState.RECEIVED,
        )
    )


_INSERT = {"postgresql": _insert(postgresql.insert), "sqlite": _insert(sqlite.insert)}


def store(session: Session, events: Sequence[Incoming], *, now: datetime) -> list[Stored]:
    """Insert the events as inbound rows; a repeated one changes nothing. Returns the rows that were new.

    One statement whatever the number of events, compiled once in the life of the process: every webhook passes here.
    The caller commits before it answers the platform.
    """
    if not events:
        return []
    connection = session.connection()
    rows = [_row(event, now=now) for event in events]
    return [Stored(*row) for row in connection.execute(_INSERT[connection.dialect.name], rows)]


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

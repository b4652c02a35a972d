"""What we keep of one person, found by a receipt code; every look leaves an event with who and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.outbox import queue
from core.people import consent, erasure
from core.wording import CITIZEN
from storage.models import (
    Answer,
    AnswerConcern,
    Attachment,
    Citizen,
    Concern,
    ConcernEvent,
    ConsentRecord,
    Contact,
    Inbound,
    Outbound,
    OutboundKind,
    Support,
    Unit,
)


class DossierError(ValueError):
    """No such person; `code` is a key of the staff catalogue."""

    def __init__(self, code: str, /, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for a person's data, by which receipt code, and why; kept as an event of that concern."""

    receipt_code: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What an office sees of a person: no words, no channel ids."""

    unit: str | None
    consent: str
    consent_version: str | None
    consent_at: datetime | None
    wants_announcements: bool
    channels: tuple[str, ...]
    concerns: tuple[tuple[str, str, datetime], ...]
    messages: int


def show(session: Session, request: Request, *, now: datetime) -> Summary:
    """States and counts. Raises `DossierError` (unknown code, erased)."""
    citizen = _open(session, request, "viewed", now=now)
    unit = session.get(Unit, citizen.unit_code) if citizen.unit_code else None
    contacts = session.scalars(select(Contact).where(Contact.citizen_id == citizen.id)).all()
    numbered = session.scalars(
        select(Concern)
        .where(Concern.citizen_id == citizen.id, Concern.code.is_not(None))
        .order_by(Concern.id)
    )
    return Summary(
        unit=unit.name if unit else None,
        consent=citizen.consent,
        consent_version=citizen.consent_version,
        consent_at=citizen.consent_at,
        wants_announcements=citizen.wants_announcements,
        channels=tuple(sorted({contact.channel for contact in contacts})),
        concerns=tuple((c.code or "", c.state, c.submitted_at or c.created_at) for c in numbered),
        messages=_count_messages(session, contacts),
    )


def _count_messages(session: Session, contacts: Sequence[Contact]) -> int:
    ids = [contact.id for contact in contacts]
    return session.scalar(select(func.count()).where(Inbound.contact_id.in_(ids))) or 0


def export(session: Session, request: Request, *, now: datetime) -> dict[str, Any]:
    """Everything that we keep of the person, as JSON values, to be handed to that person only."""
    citizen = _open(session, request, "exported", now=now)
    contacts = select(Contact.id).where(Contact.citizen_id == citizen.id).scalar_subquery()
    return {
        "receipt_code": request.receipt_code,
        "exported_at": now.isoformat(),
        "unit": citizen.unit_code,
        "wants_announcements": citizen.wants_announcements,
        "accounts": _rows(
            session, select(Contact.channel, Contact.external_id).where(Contact.citizen_id == citizen.id)
        ),
        "consents": _rows(
            session,
            select(ConsentRecord.purpose, ConsentRecord.granted, ConsentRecord.text_version, ConsentRecord.at)
            .where(ConsentRecord.citizen_id == citizen.id)
            .order_by(ConsentRecord.id),
        ),
        "concerns": _rows(
            session,
            select(
                Concern.code, Concern.state, Concern.text, Concern.field_code, Concern.unit_code,
                Concern.place_text, Concern.created_at, Concern.submitted_at,
            )
            .where(Concern.citizen_id == citizen.id)
            .order_by(Concern.id),
        ),
        "events": _rows(
            session,
            select(Concern.code, ConcernEvent.kind, ConcernEvent.at)
            .join(Concern, Concern.id == ConcernEvent.concern_id)
            .where(Concern.citizen_id == citizen.id)
            .order_by(ConcernEvent.id),
        ),
        "joined": _rows(
            session,
            select(Concern.code, Support.at)
            .join(Concern, Concern.id == Support.concern_id)
            .where(Support.citizen_id == citizen.id),
        ),
        "answers": _rows(
            session,
            select(Concern.code, Answer.text, Answer.published_at)
            .join(AnswerConcern, AnswerConcern.answer_id == Answer.id)
            .join(Concern, Concern.id == AnswerConcern.concern_id)
            .where(Concern.citizen_id == citizen.id, Answer.published_at.is_not(None)),
        ),
        "attachments": _rows(
            session,
            select(Attachment.kind, Attachment.path, Attachment.created_at).where(
                Attachment.contact_id.in_(contacts)
            ),
        ),
        "received": _rows(
            session,
            select(Inbound.received_at, Inbound.kind, Inbound.text)
            .where(Inbound.contact_id.in_(contacts))
            .order_by(Inbound.id),
        ),
        "sent": _rows(
            session,
            select(Outbound.created_at, Outbound.kind, Outbound.text)
            .where(Outbound.contact_id.in_(contacts))
            .order_by(Outbound.id),
        ),
    }  # fmt: skip


def _rows(session: Session, query: Any) -> list[dict[str, Any]]:
    return [
        {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
        for row in session.execute(query).mappings()
    ]


def erase(session: Session, request: Request, *, now: datetime) -> tuple[int, list[str]]:
    """Erase as XÓA does and tell the person; returns how many concerns, and files to delete after commit."""
    citizen = _open(session, request, None, now=now)
    contacts = session.scalars(select(Contact).where(Contact.citizen_id == citizen.id)).all()
    count = session.scalar(select(func.count()).where(Concern.citizen_id == citizen.id)) or 0
    paths = erasure.erase(session, citizen, actor=request.by, now=now)
    _note(session, request, "erased", now=now)
    for contact in contacts:
        queue.enqueue(
            session,
            contact,
            kind=OutboundKind.NOTICE,
            dedupe_key=f"erased:{contact.id}:{now.timestamp():.0f}",
            text=CITIZEN.say("erase.done"),
            now=now,
        )
    return count, paths


def opt_out(session: Session, request: Request, *, now: datetime) -> bool:
    """Stop announcements as NGỪNG does; False when the person had none."""
    citizen = _open(session, request, "opted_out", now=now)
    if not citizen.wants_announcements:
        return False
    citizen.wants_announcements = False
    consent.record(
        session, citizen, purpose=consent.PURPOSE_ANNOUNCE, granted=False, inbound_id=None, now=now
    )
    return True


def _open(session: Session, request: Request, kind: str | None, *, now: datetime) -> Citizen:
    concern = _concern(session, request.receipt_code)
    if concern is None:
        raise DossierError("citizen.unknown_code", code=request.receipt_code)
    if concern.erased_at is not None:
        raise DossierError("citizen.erased", code=request.receipt_code)
    if kind is not None:
        _note(session, request, kind, now=now)
    return session.get_one(Citizen, concern.citizen_id)


def _concern(session: Session, code: str) -> Concern | None:
    return session.scalar(select(Concern).where(Concern.code == code.strip().upper()))


def _note(session: Session, request: Request, kind: str, *, now: datetime) -> None:
    concern = _concern(session, request.receipt_code)
    if concern is not None:
        session.add(
            ConcernEvent(
                concern_id=concern.id,
                kind=kind,
                at=now,
                actor=request.by[:60],
                detail={"why": request.reason},
            )
        )
        session.flush()

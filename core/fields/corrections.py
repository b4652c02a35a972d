"""A clerk's word on the field of a concern: recorded as an event, and read again for learning."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.fields.catalogue import field_label
from core.fields.model import Correction
from storage.models import Concern, ConcernEvent, ConcernState

FIELD_CORRECTED = "field_corrected"


class UnknownField(ValueError):
    """The code is none of the catalogue."""


def correct_field(session: Session, concern: Concern, code: str, *, actor: str, now: datetime) -> bool:
    """Put a concern into a field for good; False when it is there already by a clerk's word.

    A clerk who confirms what the machine said teaches too. Raises `UnknownField`. The caller commits.
    """
    if field_label(code) is None:
        raise UnknownField(code)
    if concern.field_code == code and _is_corrected(session, concern.id):
        return False
    detail = {"from": concern.field_code, "to": code}
    session.add(ConcernEvent(concern_id=concern.id, kind=FIELD_CORRECTED, at=now, actor=actor, detail=detail))
    concern.field_code, concern.field_confidence = code, 1.0
    session.flush()
    return True


def _is_corrected(session: Session, concern_id: int) -> bool:
    query = select(ConcernEvent.id).where(
        ConcernEvent.concern_id == concern_id, ConcernEvent.kind == FIELD_CORRECTED
    )
    return session.scalar(query.limit(1)) is not None


def corrected_concerns(session: Session) -> list[Correction]:
    """What clerks have corrected, in one query; erased, withdrawn and quarantined concerns teach nothing."""
    corrected = exists().where(ConcernEvent.concern_id == Concern.id, ConcernEvent.kind == FIELD_CORRECTED)
    rows = session.execute(
        select(Concern.text, Concern.field_code)
        .where(
            corrected,
            Concern.field_code.is_not(None),
            Concern.erased_at.is_(None),
            Concern.text != "",
            Concern.state.not_in((ConcernState.WITHDRAWN, ConcernState.QUARANTINED, ConcernState.DRAFT)),
        )
        .order_by(Concern.id)
    )
    return [Correction(text, code) for text, code in rows if code is not None]

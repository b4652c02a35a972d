"""One concern with everything that staff need to judge it, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.people.roles import Scope
from storage.models import (
    Answer,
    AnswerConcern,
    Attachment,
    Concern,
    ConcernEvent,
    Contact,
    DialogueSession,
    Outbound,
    StaffMember,
    Support,
    Topic,
    TopicMember,
    Transcript,
    Unit,
)

_MOST = 200


@dataclass(frozen=True, slots=True)
class Dossier:
    """A concern and what belongs to it. `messages` are those of staff to its author, `actors` name staff."""

    concern: Concern
    contact: Contact
    unit: str
    handler: str | None
    dialogue_session: DialogueSession | None
    topic: Topic | None
    people: int
    attachments: Sequence[tuple[Attachment, Transcript | None]]
    events: Sequence[ConcernEvent]
    messages: Sequence[Outbound]
    answers: Sequence[Answer]
    actors: dict[str, str]


def message_key(concern_id: int, event_id: int) -> str:
    """The cause of a message of staff: the event that records it."""
    return f"staff:{concern_id}:{event_id}"


def visible(session: Session, scope: Scope, concern_id: int) -> Concern | None:
    """The concern, if this member of staff may see it."""
    return session.scalar(select(Concern).where(Concern.id == concern_id, scope.concerns()))


def read(session: Session, scope: Scope, concern_id: int) -> Dossier | None:
    """Everything about one concern, None when it is not there for this member of staff."""
    concern = visible(session, scope, concern_id)
    if concern is None:
        return None
    row = session.execute(
        select(Contact, Unit.name, DialogueSession, Topic)
        .select_from(Contact)
        .join(Unit, Unit.code == concern.unit_code)
        .outerjoin(DialogueSession, DialogueSession.id == concern.session_id)
        .outerjoin(TopicMember, TopicMember.concern_id == concern.id)
        .outerjoin(Topic, Topic.id == TopicMember.topic_id)
        .where(Contact.id == concern.contact_id)
    ).one()
    events = session.scalars(
        select(ConcernEvent)
        .where(ConcernEvent.concern_id == concern.id)
        .order_by(ConcernEvent.at, ConcernEvent.id)
        .limit(_MOST)
    ).all()
    handler = session.get(Unit, concern.handler_code) if concern.handler_code else None
    joined = session.scalar(select(func.count()).where(Support.concern_id == concern.id))
    return Dossier(
        concern=concern,
        contact=row[0],
        unit=row[1],
        handler=handler.name if handler else None,
        dialogue_session=row[2],
        topic=row[3],
        people=1 + (joined or 0),
        attachments=_attachments(session, concern.id),
        events=events,
        messages=_messages(session, concern),
        answers=_answers(session, concern.id),
        actors=_actors(session, events),
    )


def _attachments(session: Session, concern_id: int) -> list[tuple[Attachment, Transcript | None]]:
    rows: Any = session.execute(
        select(Attachment, Transcript)
        .outerjoin(Transcript, Transcript.attachment_id == Attachment.id)
        .where(Attachment.concern_id == concern_id)
        .order_by(Attachment.id)
        .limit(_MOST)
    )
    return [(attachment, transcript) for attachment, transcript in rows]


def _messages(session: Session, concern: Concern) -> Sequence[Outbound]:
    prefix = message_key(concern.id, 0).removesuffix("0")
    return session.scalars(
        select(Outbound)
        .where(
            Outbound.contact_id == concern.contact_id, Outbound.dedupe_key.startswith(prefix, autoescape=True)
        )
        .order_by(Outbound.id)
        .limit(_MOST)
    ).all()


def _answers(session: Session, concern_id: int) -> Sequence[Answer]:
    return session.scalars(
        select(Answer)
        .join(AnswerConcern, AnswerConcern.answer_id == Answer.id)
        .where(AnswerConcern.concern_id == concern_id)
        .order_by(Answer.id)
    ).all()


def _actors(session: Session, events: Sequence[ConcernEvent]) -> dict[str, str]:
    numbers = {e.actor.removeprefix("staff:") for e in events if e.actor.startswith("staff:")}
    ids = [int(number) for number in numbers if number.isdigit()]
    rows = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids)))
    return {f"staff:{staff_id}": name for staff_id, name in rows}

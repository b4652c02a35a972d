"""Import answers as drafts, and publish them: each asker of each merged concern hears once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from core.answers.answer_file import AnswerRow, Problem
from core.outbox.port import Choice
from core.outbox.queue import TEXT_LIMIT, with_numbers
from core.outbox.split import split_text
from core.wording import CITIZEN, day
from storage.models import (
    PRIORITY,
    Answer,
    AnswerConcern,
    Citizen,
    Concern,
    ConcernEvent,
    ConcernState,
    ConsentState,
    Contact,
    Outbound,
    OutboundKind,
    OutboundState,
    Support,
    TopicMember,
)

_ANSWERABLE = (ConcernState.RECEIVED, ConcernState.ON_AGENDA, ConcernState.ANSWERED, ConcernState.NOT_LISTED)
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; with problems nothing was written."""

    answers: int
    concerns: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What one publication wrote: answers, people who get one, messages."""

    answers: int
    people: int
    rows: int


def import_answers(
    session: Session, *, session_id: int, rows: Sequence[AnswerRow], now: datetime
) -> Imported:
    """Keep the rows as draft answers; all or nothing. A draft for the same concerns is replaced."""
    by_key, by_code = _index(session, session_id)
    published = _published(session, session_id)
    keys = {key: int(key[1:]) for key in by_key if key.startswith("T")}
    problems: list[Problem] = []
    taken: set[int] = set()
    wanted: list[tuple[AnswerRow, list[int]]] = []
    for row in rows:
        ids = _targets(row, by_key, by_code, problems)
        for concern_id in ids:
            if concern_id in taken:
                problems.append(Problem(row.row, "twice", by_code.get(concern_id, str(concern_id))))
            if concern_id in published:
                problems.append(Problem(row.row, "already_published", by_code.get(concern_id, "")))
        taken.update(ids)
        wanted.append((row, ids))
    if problems:
        return Imported(0, 0, tuple(problems))
    _drop_drafts(session, session_id, taken)
    drafts = [_draft(session_id, row, keys.get(row.key), now=now) for row, _ in wanted]
    session.add_all(drafts)
    session.flush()
    session.add_all(
        AnswerConcern(concern_id=concern_id, answer_id=draft.id)
        for draft, (_, ids) in zip(drafts, wanted, strict=True)
        for concern_id in ids
    )
    session.flush()
    return Imported(len(wanted), len(taken), ())


def _index(session: Session, session_id: int) -> tuple[dict[str, list[int]], dict[Any, Any]]:
    """Concern ids by topic key, and codes both ways (code → id, id → code)."""
    by_key: dict[str, list[int]] = defaultdict(list)
    by_code: dict[Any, Any] = {}
    rows = session.execute(
        select(Concern.id, Concern.code, TopicMember.topic_id)
        .outerjoin(TopicMember, TopicMember.concern_id == Concern.id)
        .where(Concern.session_id == session_id, Concern.state.in_(_ANSWERABLE))
    )
    for concern_id, code, topic_id in rows:
        by_key[f"T{topic_id}" if topic_id is not None else f"C{concern_id}"].append(concern_id)
        by_code[code], by_code[concern_id] = concern_id, code
    return by_key, by_code


def _published(session: Session, session_id: int) -> set[int]:
    return set(
        session.scalars(
            select(AnswerConcern.concern_id)
            .join(Answer, Answer.id == AnswerConcern.answer_id)
            .where(Answer.session_id == session_id, Answer.published_at.is_not(None))
        )
    )


def _targets(
    row: AnswerRow,
    by_key: Mapping[str, list[int]],
    by_code: Mapping[Any, Any],
    problems: list[Problem],
) -> list[int]:
    if row.codes:
        unknown = [code for code in row.codes if code not in by_code]
        problems.extend(Problem(row.row, "unknown_code", code) for code in unknown)
        return [by_code[code] for code in row.codes if code in by_code]
    if row.key not in by_key:
        problems.append(Problem(row.row, "unknown_topic", row.key))
    return list(by_key.get(row.key, ()))


def _drop_drafts(session: Session, session_id: int, concern_ids: set[int]) -> None:
    """Take these concerns out of earlier drafts; a draft that settles nothing any more goes."""
    drafted = session.execute(
        select(AnswerConcern.answer_id, AnswerConcern.concern_id)
        .join(Answer, Answer.id == AnswerConcern.answer_id)
        .where(Answer.session_id == session_id, Answer.published_at.is_(None))
    ).all()
    kept = {answer_id for answer_id, concern_id in drafted if concern_id not in concern_ids}
    replaced = [pair for pair in drafted if pair[1] in concern_ids]
    for start in range(0, len(replaced), _BATCH):
        pairs = [tuple(pair) for pair in replaced[start : start + _BATCH]]
        session.execute(
            delete(AnswerConcern).where(tuple_(AnswerConcern.answer_id, AnswerConcern.concern_id).in_(pairs))
        )
    empty = sorted({answer_id for answer_id, _ in replaced} - kept)
    for start in range(0, len(empty), _BATCH):
        session.execute(delete(Answer).where(Answer.id.in_(empty[start : start + _BATCH])))


def _draft(session_id: int, row: AnswerRow, topic_id: int | None, *, now: datetime) -> Answer:
    return Answer(
        session_id=session_id,
        topic_id=topic_id,
        text=row.text,
        answered_by=row.answered_by,
        legal_basis=row.basis,
        due_on=row.due_on,
        source_row=str(row.row),
        created_at=now,
    )


def publish(session: Session, *, session_id: int, by: str, now: datetime) -> Published:
    """Write one message per asker per answer, mark the concerns answered; a second call writes nothing.

    Askers are authors and those who joined; one contact hears one answer once, whatever number of its
    concerns the answer settles. People who erased their data hear nothing. Queries: constant; rows are
    written in batches, in the caller's one transaction.
    """
    drafts = session.scalars(
        select(Answer)
        .where(Answer.session_id == session_id, Answer.published_at.is_(None))
        .order_by(Answer.id)
        .with_for_update()  # Somebody who publishes at the same moment waits, and then finds nothing.
    ).all()
    if not drafts:
        return Published(0, 0, 0)
    askers = _askers(session, [answer.id for answer in drafts])
    rows = [
        values
        for answer in drafts
        for contact, codes in askers.get(answer.id, {}).values()
        for values in _messages(answer, contact, codes, now=now)
    ]
    for start in range(0, len(rows), _BATCH):
        session.execute(insert(Outbound), rows[start : start + _BATCH])
    ids = [answer.id for answer in drafts]
    session.execute(update(Answer).where(Answer.id.in_(ids)).values(published_at=now))
    _mark_answered(session, ids, by=by, now=now)
    people = {contact_id for heard in askers.values() for contact_id in heard}
    return Published(len(drafts), len(people), len(rows))


def _askers(session: Session, answer_ids: Sequence[int]) -> dict[int, dict[int, tuple[Contact, list[str]]]]:
    """Answer id → contact id → (contact, codes that this contact asked or joined)."""
    authors = (
        select(AnswerConcern.answer_id, Concern.code, Contact)
        .join(Concern, Concern.id == AnswerConcern.concern_id)
        .join(Contact, Contact.id == Concern.contact_id)
        .join(Citizen, Citizen.id == Concern.citizen_id)
        .where(Concern.state.in_(_ANSWERABLE), Concern.erased_at.is_(None))
    )
    joined = (
        select(AnswerConcern.answer_id, Concern.code, Contact)
        .join(Concern, Concern.id == AnswerConcern.concern_id)
        .join(Support, Support.concern_id == Concern.id)
        .join(Contact, Contact.id == Support.contact_id)
        .join(Citizen, Citizen.id == Support.citizen_id)
    )
    found: dict[int, dict[int, tuple[Contact, list[str]]]] = defaultdict(dict)
    for query in (authors, joined):
        chosen = query.where(
            AnswerConcern.answer_id.in_(answer_ids), Citizen.consent == ConsentState.GRANTED
        ).order_by(Concern.id)
        for answer_id, code, contact in session.execute(chosen).tuples():
            _, codes = found[answer_id].setdefault(contact.id, (contact, []))
            if code is not None and code not in codes:
                codes.append(code)
    return found


def _messages(
    answer: Answer, contact: Contact, codes: Sequence[str], *, now: datetime
) -> list[dict[str, Any]]:
    choices = [
        Choice(CITIZEN.say(f"answer.{verdict}"), f"feedback:{verdict}:{answer.id}")
        for verdict in ("clear", "partly", "unclear")
    ]
    parts = split_text(with_numbers(answer_text(answer, codes), choices), TEXT_LIMIT)
    state = OutboundState.QUEUED if contact.reachable else OutboundState.WAITING_FOR_CONTACT
    key = f"answer:{answer.id}:{contact.id}"
    return [
        {
            "contact_id": contact.id,
            "channel": contact.channel,
            "account_id": contact.account_id,
            "kind": OutboundKind.ANSWER,
            "dedupe_key": key if number == 0 else f"{key}:{number}",
            "text": part,
            "choices": [[c.label, c.value] for c in choices] if number == len(parts) - 1 else [],
            "priority": PRIORITY[OutboundKind.ANSWER],
            "state": state,
            "attempts": 0,
            "due_at": now,
            "created_at": now,
            "answer_id": answer.id,
        }
        for number, part in enumerate(parts)
    ]


def answer_text(answer: Answer, codes: Sequence[str]) -> str:
    """The answer as its asker reads it, naming only that person's own codes."""
    details = ""
    if answer.answered_by:
        details += "\n" + CITIZEN.say("answer.by", unit=answer.answered_by)
    if answer.legal_basis:
        details += "\n" + CITIZEN.say("answer.basis", basis=answer.legal_basis)
    if answer.due_on:
        details += "\n" + CITIZEN.say("answer.due", day=day(answer.due_on))
    return CITIZEN.say("answer.text", codes=", ".join(codes), text=answer.text, details=details)


def _mark_answered(session: Session, answer_ids: Sequence[int], *, by: str, now: datetime) -> None:
    """What was withdrawn between the import and the publication stays withdrawn."""
    settled = select(AnswerConcern.concern_id).where(AnswerConcern.answer_id.in_(answer_ids))
    concern_ids = session.scalars(
        update(Concern)
        .where(Concern.id.in_(settled), Concern.state.in_(_ANSWERABLE))
        .values(state=ConcernState.ANSWERED)
        .returning(Concern.id)
        .execution_options(synchronize_session=False)
    ).all()
    events = [
        {"concern_id": i, "kind": "answered", "at": now, "actor": by, "detail": {}}
        for i in sorted(concern_ids)
    ]
    for start in range(0, len(events), _BATCH):
        session.execute(insert(ConcernEvent), events[start : start + _BATCH])


def delivery_summary(session: Session, *, session_id: int) -> dict[str, int]:
    """Messages of a session's answers by state; one query."""
    rows = session.execute(
        select(Outbound.state, func.count())
        .join(Answer, Answer.id == Outbound.answer_id)
        .where(Answer.session_id == session_id)
        .group_by(Outbound.state)
    )
    return dict(rows.tuples().all())

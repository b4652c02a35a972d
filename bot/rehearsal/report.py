"""Figures of a rehearsal: the database on one side, what the phones showed on the other."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from bot.rehearsal.citizen import Citizen
from bot.rehearsal.fakes.servers import RunningFakes
from bot.rehearsal.fakes.world import Happening
from core.agenda.document import AgendaDocument
from core.text.normal import fold
from storage.database import Database
from storage.models import (
    Answer,
    Concern,
    ConcernState,
    Contact,
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
)

_PENDING = (OutboundState.QUEUED, OutboundState.SENDING, OutboundState.TEMPORARY_FAILURE)
_WAITING = (*_PENDING, OutboundState.WAITING_FOR_CONTACT)


def unfinished(database: Database) -> int:
    """Messages that are still to be answered or sent."""
    with database.read() as session:
        outbound = session.scalar(
            select(func.count()).select_from(Outbound).where(Outbound.state.in_(_PENDING))
        )
        inbound = session.scalar(
            select(func.count()).select_from(Inbound).where(Inbound.state == InboundState.RECEIVED)
        )
    return (outbound or 0) + (inbound or 0)


def concerns(database: Database, citizens: Sequence[Citizen], document: AgendaDocument) -> dict[str, Any]:
    """Sent against stored, turns and reply times. A concern is stored when its words are in a record of
    the person who told it; a second record with the same words is a duplicate.
    """
    stored = _stored_by_person(database)
    sent = lost = duplicated = 0
    lost_keys: list[str] = []
    for citizen in citizens:
        texts = stored[citizen.phone.chat_id]
        for told in citizen.told:
            sent += 1
            words = " ".join(fold(told.concern.text).split())
            found = sum(words in text for text in texts)
            lost += found == 0
            duplicated += max(0, found - 1)
            if not found:
                lost_keys.append(told.concern.key)
    reply_ms = sorted(ms for citizen in citizens for ms in citizen.reply_ms)
    turns = [told.messages for c in citizens for told in c.told if told.code and not told.first_contact]
    first = [told.messages for c in citizens for told in c.told if told.code and told.first_contact]
    listed = document.concern_count
    return {
        "citizens": len(citizens),
        "concerns_sent": sent,
        "concerns_stored": sent - lost,
        "concerns_lost": lost,
        "concerns_lost_keys": lost_keys,
        "concerns_duplicated": duplicated,
        "concerns_listed": listed,
        "concerns_not_listed": {n.reason: n.count for n in document.not_listed},
        "receipts_read": sum(bool(told.code) for c in citizens for told in c.told),
        "turns_per_concern_p50": _median(turns),
        "turns_per_concern_max": max(turns, default=0),
        "turns_first_contact_p50": _median(first),
        "turns_first_contact_max": max(first, default=0),
        "reply_ms_p50": _percentile(reply_ms, 0.5),
        "reply_ms_p95": _percentile(reply_ms, 0.95),
        "topics": document.topic_count,
        "agenda_items": document.topic_count,
    }


def _stored_by_person(database: Database) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    with database.read() as session:
        rows = session.execute(
            select(Contact.external_id, Concern.text)
            .join(Contact, Contact.id == Concern.contact_id)
            .where(Concern.state.not_in((ConcernState.DRAFT, ConcernState.WITHDRAWN)))
        )
        for person, text in rows:
            found[person].append(" ".join(fold(text).split()))
    return found


def announcement(database: Database, announcement_id: int, fakes: RunningFakes) -> dict[str, int]:
    """One announcement: rows by outcome, and phones that showed it more than once."""
    with database.read() as session:
        rows = session.execute(
            select(Outbound.state, Outbound.text, Contact.external_id)
            .join(Contact, Contact.id == Outbound.contact_id)
            .where(Outbound.announcement_id == announcement_id)
        ).all()
    shown = _shown(fakes)
    times = [shown[(person, text)] for _, text, person in rows]
    states = Counter(state for state, _, _ in rows)
    return {
        "recipients": len(rows),
        "delivered": sum(count > 0 for count in times),
        "failed": states[OutboundState.PERMANENT_FAILURE] + states[OutboundState.TECHNICAL_FAILURE],
        "unknown": states[OutboundState.UNKNOWN],
        "duplicate": sum(max(0, count - 1) for count in times),
    }


def answers(database: Database, session_id: int, fakes: RunningFakes) -> dict[str, int]:
    """Answers: every message is shown once, waits, or is unknown; anything else is lost."""
    with database.read() as session:
        rows = session.execute(
            select(Outbound.state, Outbound.text, Contact.external_id, Outbound.contact_id)
            .join(Contact, Contact.id == Outbound.contact_id)
            .join(Answer, Answer.id == Outbound.answer_id)
            .where(Answer.session_id == session_id)
        ).all()
    shown = _shown(fakes)
    delivered = waiting = unknown = duplicate = lost = 0
    for state, text, person, _ in rows:
        times = shown[(person, text)]
        duplicate += max(0, times - 1)
        if times:
            delivered += 1
        elif state in _WAITING:
            waiting += 1
        elif state == OutboundState.UNKNOWN:
            unknown += 1
        else:
            lost += 1
    return {
        "askers": len({contact for *_, contact in rows}),
        "messages": len(rows),
        "delivered": delivered,
        "waiting": waiting,
        "unknown": unknown,
        "duplicate": duplicate,
        "lost": lost,
    }


def _shown(fakes: RunningFakes) -> Counter[tuple[str, str]]:
    """How often each text was put on each phone, by the platforms' own record."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in fakes.world.record.entries:
        if entry.kind is Happening.SHOWN:
            counts[(entry.chat_id, entry.detail.text)] += 1
    return counts


def _median(values: Sequence[int]) -> float:
    return float(statistics.median(values)) if values else 0.0


def _percentile(values: Sequence[float], share: float) -> float:
    return round(values[min(len(values) - 1, int(len(values) * share))], 1) if values else 0.0

"""Outbound rows: written with their cause, claimed by one sender, closed with what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, bindparam, case, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from core.outbox import digest
from core.outbox.port import Choice, NotDelivered, OutcomeUnknown, Outgoing, SendFailure
from core.outbox.split import split_text
from core.outbox.tariff import Tariff
from core.outbox.toll import Tolls, give_back
from storage.models import (
    PRIORITY,
    Announcement,
    Attempt,
    Contact,
    Outbound,
    OutboundKind,
    OutboundState,
    Route,
)

# The smallest limit of our channels (Zalo OA and Zalo Bot, `sendMessage`: 2,000 characters after NFC).
TEXT_LIMIT = 2_000
_CLAIMABLE = (OutboundState.QUEUED, OutboundState.TEMPORARY_FAILURE)
_UNSENT = (OutboundState.QUEUED, OutboundState.SENDING, OutboundState.TEMPORARY_FAILURE)
_MAX_BACKOFF_S = 300.0
_GIVE_UP_AFTER = 12


@dataclass(frozen=True, slots=True)
class Claimed:
    """One row that this sender alone may send now, with the attempt that was opened for it."""

    attempt_id: int
    contact_id: int
    message: Outgoing
    is_digest: bool = False


def enqueue(
    session: Session,
    contact: Contact,
    *,
    kind: OutboundKind,
    dedupe_key: str,
    text: str,
    choices: Sequence[Choice] = (),
    now: datetime,
    inbound_id: int | None = None,
) -> None:
    """Add one message, as several rows when it is longer than a platform takes; choices go with the last.

    The caller's transaction also holds the cause. A second call with the same `dedupe_key` violates
    the unique key, so a cause can never speak twice.
    """
    parts = split_text(with_numbers(text, choices), TEXT_LIMIT)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        session.add(
            Outbound(
                contact_id=contact.id,
                channel=contact.channel,
                account_id=contact.account_id,
                kind=kind,
                dedupe_key=dedupe_key if number == 0 else f"{dedupe_key}:{number}",
                text=part,
                choices=[[c.label, c.value] for c in choices] if last else [],
                priority=PRIORITY[kind],
                state=OutboundState.QUEUED if contact.reachable else OutboundState.WAITING_FOR_CONTACT,
                due_at=now,
                created_at=now,
                inbound_id=inbound_id,
            )
        )


def with_numbers(text: str, choices: Sequence[Choice]) -> str:
    """The text with its choices as a numbered list: every choice works by typing, on every channel."""
    lines = [f"{number}. {choice.label}" for number, choice in enumerate(choices, start=1)]
    return "\n".join([text, *lines])


def claim_due(
    session: Session,
    *,
    channel: str,
    account_id: str,
    holder: str,
    limit: int,
    now: datetime,
    tariff: Tariff | None = None,
    bulk: bool = True,
) -> list[Claimed]:
    """Mark up to `limit` due rows of one account as sending, open an attempt for each, and return them.

    Replies come before bulk, and of one conversation only the oldest unsent row is taken, so order is
    kept. Two senders never get the same row: one UPDATE; PostgreSQL skips locked rows, SQLite makes
    writers wait. With a `tariff`, rows that may not go now wait for the person, and an announcement stops
    before it costs more than was confirmed. `bulk=False` leaves announcements for later. The caller
    commits before it sends.
    """
    earlier = aliased(Outbound)
    due = (
        select(Outbound.id)
        .where(
            Outbound.channel == channel,
            Outbound.account_id == account_id,
            Outbound.state.in_(_CLAIMABLE),
            Outbound.due_at <= now,
            *(() if bulk else (Outbound.priority < PRIORITY[OutboundKind.ANNOUNCEMENT],)),
            ~exists().where(
                earlier.contact_id == Outbound.contact_id,
                earlier.id < Outbound.id,
                earlier.state.in_(_UNSENT),
                earlier.priority <= Outbound.priority,
            ),
        )
        .order_by(Outbound.priority, Outbound.due_at, Outbound.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed_ids = session.scalars(
        update(Outbound)
        .where(Outbound.id.in_(due.scalar_subquery()))
        .values(state=OutboundState.SENDING, holder=holder, attempts=Outbound.attempts + 1)
        .returning(Outbound.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not claimed_ids:
        return []
    session.execute(insert(Attempt), [{"outbound_id": i, "started_at": now} for i in claimed_ids])
    claimed = _claimed(session, claimed_ids)
    if tariff is None:
        return claimed
    tolls = Tolls(session, tariff, now=now)
    tolls.judge([one.message.delivery_id for one in claimed])
    _take_back(session, [one for one in claimed if one.message.delivery_id in tolls.held])
    return [one for one in claimed if one.message.delivery_id not in tolls.held]


def _claimed(session: Session, claimed_ids: Sequence[int]) -> list[Claimed]:
    rows = session.execute(
        select(
            Attempt.id.label("attempt_id"),
            Outbound.id,
            Outbound.contact_id,
            Outbound.text,
            Outbound.choices,
            Outbound.kind,
            Contact.external_id,
            case((Outbound.route == Route.TEMPLATE, Announcement.template_data)).label("template_data"),
        )
        .join(Outbound, Outbound.id == Attempt.outbound_id)
        .join(Contact, Contact.id == Outbound.contact_id)
        .outerjoin(Announcement, Announcement.id == Outbound.announcement_id)
        .where(Attempt.outbound_id.in_(claimed_ids), Attempt.finished_at.is_(None))
        .order_by(Outbound.priority, Outbound.due_at, Outbound.id)
    )
    return [
        Claimed(
            row.attempt_id,
            row.contact_id,
            Outgoing(
                delivery_id=row.id,
                recipient_id=row.external_id,
                text=row.text,
                choices=tuple(Choice(label, value) for label, value in row.choices),
                bulk=row.kind == OutboundKind.ANNOUNCEMENT,
                template_data=row.template_data,
            ),
            is_digest=row.kind == OutboundKind.DIGEST,
        )
        for row in rows
    ]


def _take_back(session: Session, claimed: Sequence[Claimed]) -> None:
    """The state was decided elsewhere; the attempt that was not one leaves no trace."""
    if not claimed:
        return
    session.execute(delete(Attempt).where(Attempt.id.in_([one.attempt_id for one in claimed])))
    session.execute(
        update(Outbound)
        .where(Outbound.id.in_([one.message.delivery_id for one in claimed]))
        .values(holder=None, attempts=Outbound.attempts - 1)
        .execution_options(synchronize_session=False)
    )


def put_back(session: Session, claimed: Sequence[Claimed]) -> None:
    """Rows that were claimed and certainly not sent are queued again, without a trace of the attempt."""
    if not claimed:
        return
    session.execute(delete(Attempt).where(Attempt.id.in_([one.attempt_id for one in claimed])))
    session.execute(
        update(Outbound)
        .where(
            Outbound.id.in_([one.message.delivery_id for one in claimed]),
            Outbound.state == OutboundState.SENDING,
        )
        .values(state=OutboundState.QUEUED, holder=None, attempts=Outbound.attempts - 1)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claimed row: the platform's id, or the error that says what is known."""

    claimed: Claimed
    at: datetime
    external_id: str | None = None
    error: NotDelivered | OutcomeUnknown | None = None


def record_all(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Close many claimed rows; the sent ones, which are nearly all, in two batched statements."""
    sent = [o for o in outcomes if o.external_id is not None]
    if sent:
        connection = session.connection()
        connection.execute(_CLOSE_SENT_ATTEMPT, [{"key": o.claimed.attempt_id, "at": o.at} for o in sent])
        connection.execute(
            _CLOSE_SENT_ROW,
            [{"key": o.claimed.message.delivery_id, "at": o.at, "external": o.external_id} for o in sent],
        )
        digest.follow(session, [o.claimed.message.delivery_id for o in sent if o.claimed.is_digest])
    for outcome in outcomes:
        if isinstance(outcome.error, NotDelivered):
            record_failure(session, outcome.claimed, error=outcome.error, now=outcome.at)
        elif outcome.error is not None:
            record_unknown(session, outcome.claimed, detail=str(outcome.error), now=outcome.at)


_ATTEMPTS, _ROWS = Attempt.metadata.tables["attempt"], Outbound.metadata.tables["outbound"]
_CLOSE_SENT_ATTEMPT = (
    update(_ATTEMPTS)
    .where(_ATTEMPTS.c.id == bindparam("key"))
    .values(finished_at=bindparam("at"), outcome="sent")
)
# A receipt that was faster than us is not overwritten.
_CLOSE_SENT_ROW = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("key"), _ROWS.c.state == OutboundState.SENDING)
    .values(
        state=OutboundState.SENT, external_id=bindparam("external"), sent_at=bindparam("at"), failure=None
    )
)


def record_sent(session: Session, claimed: Claimed, *, external_id: str, now: datetime) -> None:
    """The platform took the message."""
    record_all(session, [Outcome(claimed, now, external_id=external_id)])


def record_unknown(session: Session, claimed: Claimed, *, detail: str, now: datetime) -> None:
    """Nobody can say whether it arrived; it is shown to staff and never sent again by itself."""
    _close_attempt(session, claimed.attempt_id, outcome="unknown", detail=detail, now=now)
    session.execute(
        update(Outbound)
        .where(Outbound.id == claimed.message.delivery_id, Outbound.state == OutboundState.SENDING)
        .values(state=OutboundState.UNKNOWN, failure="no_answer")
    )
    if claimed.is_digest:
        digest.follow(session, [claimed.message.delivery_id])


def record_failure(session: Session, claimed: Claimed, *, error: NotDelivered, now: datetime) -> None:
    """The platform certainly did not take it: decide from the facts in the error who acts next."""
    _close_attempt(
        session, claimed.attempt_id, outcome=error.failure, code=error.code, detail=str(error), now=now
    )
    row = session.get_one(Outbound, claimed.message.delivery_id)
    row.failure = error.failure
    row.holder = None
    row.state, row.due_at = _after_failure(error, attempts=row.attempts, now=now)
    if error.failure is SendFailure.RATE_LIMITED:
        row.attempts -= 1  # Waiting for one's turn is not a failed try.
    if row.cost_vnd:
        give_back(session, row)
    if claimed.is_digest:
        digest.undo_or_follow(session, row)
    if error.failure is SendFailure.RECIPIENT_GONE:
        session.execute(update(Contact).where(Contact.id == row.contact_id).values(reachable=False))


def _after_failure(error: NotDelivered, *, attempts: int, now: datetime) -> tuple[OutboundState, datetime]:
    match error.failure:
        case SendFailure.RATE_LIMITED | SendFailure.ACCOUNT_STOPPED | SendFailure.QUOTA_USED:
            return OutboundState.QUEUED, now + timedelta(seconds=error.retry_after_s or 1.0)
        case SendFailure.TEMPORARY if attempts < _GIVE_UP_AFTER:
            wait_s = min(_MAX_BACKOFF_S, 2.0 ** (attempts - 1))
            return OutboundState.TEMPORARY_FAILURE, now + timedelta(seconds=error.retry_after_s or wait_s)
        case SendFailure.RECIPIENT_GONE:
            return OutboundState.PERMANENT_FAILURE, now
        case SendFailure.WINDOW_CLOSED:
            return OutboundState.WAITING_FOR_CONTACT, now
        case _:
            return OutboundState.TECHNICAL_FAILURE, now


def _close_attempt(
    session: Session,
    attempt_id: int,
    *,
    outcome: str,
    now: datetime,
    code: str | None = None,
    detail: str | None = None,
) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id)
        .values(finished_at=now, outcome=outcome, code=code, detail=detail[:300] if detail else None)
    )


def mark_orphans_unknown(session: Session, *, channel: str, account_id: str, now: datetime) -> int:
    """Rows that a dead sender left as sending may have gone out: they become unknown, not queued again.

    Called by whoever has just become the account's only sender, before its first claim.
    """
    orphans = (
        select(Outbound.id)
        .where(
            Outbound.channel == channel,
            Outbound.account_id == account_id,
            Outbound.state == OutboundState.SENDING,
        )
        .scalar_subquery()
    )
    digests = session.scalars(
        select(Outbound.id).where(Outbound.id.in_(orphans), Outbound.kind == OutboundKind.DIGEST)
    ).all()
    session.execute(
        update(Attempt)
        .where(Attempt.outbound_id.in_(orphans), Attempt.finished_at.is_(None))
        .values(finished_at=now, outcome="unknown", detail="the sender died during the call")
        .execution_options(synchronize_session=False)
    )
    result = session.execute(
        update(Outbound)
        .where(
            Outbound.channel == channel,
            Outbound.account_id == account_id,
            Outbound.state == OutboundState.SENDING,
        )
        .values(state=OutboundState.UNKNOWN, failure="sender_died")
    )
    digest.follow(session, digests)
    assert isinstance(result, CursorResult)
    return result.rowcount


def release_waiting(session: Session, contact_id: int, *, now: datetime) -> None:
    """The person wrote: what waited for that may go now; several messages become one, the newest first."""
    waiting = session.scalars(
        select(Outbound)
        .where(Outbound.contact_id == contact_id, Outbound.state == OutboundState.WAITING_FOR_CONTACT)
        .order_by(Outbound.id.desc())
    ).all()
    if len(waiting) > 1:
        waiting = digest.merge(session, waiting, limit=TEXT_LIMIT, now=now)
    for row in waiting:
        row.state = OutboundState.QUEUED
        row.due_at = now


def next_due_at(session: Session, *, channel: str, account_id: str) -> datetime | None:
    """When the earliest claimable row of an account is due; None when there is none."""
    return session.scalar(
        select(func.min(Outbound.due_at)).where(
            Outbound.channel == channel,
            Outbound.account_id == account_id,
            Outbound.state.in_(_CLAIMABLE),
        )
    )

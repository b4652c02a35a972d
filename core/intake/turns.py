"""One turn at a time per conversation, in order: claim a message, and close it with its replies.

A conversation is the sender on one channel account. Its oldest unanswered message by the platform's clock
comes first; a lease on the contact's row keeps other workers away until `finish` or the lease's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core.intake.state import Dialogue, snapshot
from core.intake.turn import Reply
from core.intake.typed import Resolved, resolve
from core.outbox import queue, receipts
from core.outbox.port import ChannelName, IncomingKind
from core.people import contacts, erasure
from core.wording import CITIZEN
from storage.models import (
    Citizen,
    Concern,
    ConcernState,
    Contact,
    Inbound,
    InboundState,
    OutboundKind,
)

# Several times the engine's time-out; a worker that died holds its conversations for this long at most.
LEASE_S = 20.0
_MAX_WAIT_S = 120.0
# After this many failed attempts (about an hour) the message goes to staff; its words are kept.
_GIVE_UP_AFTER = 40
# A clerk who answers by hand in the OA console is not talked over for this long, by default.
HUMAN_TAKEOVER = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Key of one conversation, before anything of it is looked up."""

    channel: str
    account_id: str
    sender_id: str


@dataclass(frozen=True, slots=True)
class ClaimedTurn:
    """A message that this worker alone answers now, with everything the dialogue engine needs."""

    inbound_id: int
    contact_id: int
    attempts: int
    text: str
    resolved: Resolved | None
    snapshot: dict[str, Any]
    delay_told: bool


def backlog(session: Session, *, now: datetime, limit: int) -> list[Conversation]:
    """Conversations with something due at `now`, oldest first."""
    rows = session.execute(
        select(Inbound.channel, Inbound.account_id, Inbound.sender_id)
        .where(Inbound.state == InboundState.RECEIVED, Inbound.next_attempt_at <= now)
        .group_by(Inbound.channel, Inbound.account_id, Inbound.sender_id)
        .order_by(func.min(Inbound.id))
        .limit(limit)
    )
    return [Conversation(*row) for row in rows]


def conversation_of(session: Session, inbound_id: int) -> Conversation | None:
    """The conversation a stored message belongs to; None when the message was erased."""
    row = session.execute(
        select(Inbound.channel, Inbound.account_id, Inbound.sender_id).where(Inbound.id == inbound_id)
    ).one_or_none()
    return Conversation(*row) if row else None


def claim(
    session: Session,
    conversation: Conversation,
    *,
    holder: str,
    now: datetime,
    takeover: timedelta = HUMAN_TAKEOVER,
) -> ClaimedTurn | None:
    """Take the conversation's oldest message, or None when there is none due or another worker has it.

    Receipts and other events without an answer are applied on the way. The caller commits.
    """
    contact = contacts.find_or_make(
        session,
        channel=conversation.channel,
        account_id=conversation.account_id,
        external_id=conversation.sender_id,
        now=now,
    )
    if not _lease(session, contact, holder=holder, now=now):
        return None
    while True:
        inbound = _oldest(session, conversation)
        if inbound is None or inbound.next_attempt_at > now:
            release(session, contact.id)
            return None
        inbound.contact_id = contact.id
        if _needs_answer(inbound, contact, now=now):
            return _begin(session, inbound, contact, now=now)
        _apply(session, inbound, contact, now=now, takeover=takeover)


def _lease(session: Session, contact: Contact, *, holder: str, now: datetime) -> bool:
    taken = session.scalar(
        update(Contact)
        .where(
            Contact.id == contact.id,
            or_(Contact.turn_until.is_(None), Contact.turn_until < now, Contact.turn_holder == holder),
        )
        .values(turn_holder=holder, turn_until=now + timedelta(seconds=LEASE_S))
        .returning(Contact.id)
    )
    return taken is not None


def _oldest(session: Session, conversation: Conversation) -> Inbound | None:
    return session.scalar(
        select(Inbound)
        .where(
            Inbound.channel == conversation.channel,
            Inbound.account_id == conversation.account_id,
            Inbound.sender_id == conversation.sender_id,
            Inbound.state == InboundState.RECEIVED,
        )
        .order_by(Inbound.occurred_at, Inbound.id)
        .limit(1)
    )


def _needs_answer(inbound: Inbound, contact: Contact, *, now: datetime) -> bool:
    kind = IncomingKind(inbound.kind)
    if contact.bot_paused_until is not None and contact.bot_paused_until > now:
        return False
    if kind is IncomingKind.FOLLOWED:
        # Telegram also sends `/start` then; two greetings would be one too many.
        return contact.channel != ChannelName.TELEGRAM
    return kind.starts_turn


def _begin(session: Session, inbound: Inbound, contact: Contact, *, now: datetime) -> ClaimedTurn:
    citizen = session.get_one(Citizen, contact.citizen_id)
    dialogue = Dialogue.load(contact.dialogue)
    if inbound.snapshot is None:
        resolved = resolve(IncomingKind(inbound.kind), inbound.text, dialogue, inbound_id=inbound.id)
        inbound.snapshot = {
            "state": snapshot(dialogue, citizen, has_draft=_has_draft(session, contact)),
            "resolved": [resolved.intent, resolved.choice] if resolved else None,
        }
        contact.last_inbound_at = now
        contact.reachable = True
        queue.release_waiting(session, contact.id, now=now)
    stored = inbound.snapshot["resolved"]
    inbound.attempts += 1
    return ClaimedTurn(
        inbound_id=inbound.id,
        contact_id=contact.id,
        attempts=inbound.attempts,
        text=inbound.text or "",
        resolved=Resolved(*stored) if stored else None,
        snapshot=inbound.snapshot["state"],
        delay_told=inbound.delay_told_at is not None,
    )


def _has_draft(session: Session, contact: Contact) -> bool:
    query = select(Concern.id).where(Concern.contact_id == contact.id, Concern.state == ConcernState.DRAFT)
    return session.scalar(query) is not None


def _apply(
    session: Session, inbound: Inbound, contact: Contact, *, now: datetime, takeover: timedelta
) -> None:
    """An event without an answer: a receipt, an echo, somebody left."""
    at = inbound.occurred_at
    references = inbound.payload.get("refers_to", [])
    match IncomingKind(inbound.kind):
        case IncomingKind.DELIVERED:
            receipts.apply_delivered(session, contact, references, at=at)
        case IncomingKind.SEEN:
            receipts.apply_seen(session, contact, references, at=at)
        case IncomingKind.ECHO if inbound.payload.get("human"):
            contact.bot_paused_until = now + takeover
        case IncomingKind.ECHO:
            receipts.apply_echo(session, contact, external_ids=references, text=inbound.text, at=at)
        case IncomingKind.UNFOLLOWED:
            contact.reachable = False
        case IncomingKind.FOLLOWED:
            contact.reachable = True
        case IncomingKind.ERASE_REQUEST:
            citizen = session.get_one(Citizen, contact.citizen_id)
            erasure.erase(session, citizen, now=now)
            contact.dialogue = {}
        case _:
            contact.last_inbound_at = now
    inbound.state = InboundState.DONE
    inbound.answered_at = now
    session.flush()


def finish(
    session: Session, turn: ClaimedTurn, replies: Sequence[Reply], *, intent: str | None, now: datetime
) -> None:
    """Write the replies and close the message in one transaction; calling it twice writes nothing more."""
    inbound = session.get_one(Inbound, turn.inbound_id, with_for_update=True)
    if inbound.state == InboundState.DONE:
        return
    contact = session.get_one(Contact, turn.contact_id)
    for number, reply in enumerate(replies):
        queue.enqueue(
            session,
            contact,
            kind=OutboundKind.REPLY,
            dedupe_key=f"reply:{inbound.id}:{number}",
            text=reply.text,
            choices=reply.choices,
            now=now,
            inbound_id=inbound.id,
        )
    inbound.state = InboundState.DONE
    inbound.intent = intent
    inbound.answered_at = now
    release(session, contact.id)


def postpone(session: Session, turn: ClaimedTurn, *, now: datetime) -> None:
    """The engine did not answer: the words are safe, tell the person once, and try again later."""
    inbound = session.get_one(Inbound, turn.inbound_id, with_for_update=True)
    if inbound.state == InboundState.DONE:
        return  # Another worker was faster after our lease had run out.
    contact = session.get_one(Contact, turn.contact_id)
    if inbound.delay_told_at is None:
        inbound.delay_told_at = now
        queue.enqueue(
            session,
            contact,
            kind=OutboundKind.REPLY,
            dedupe_key=f"later:{inbound.id}",
            text=CITIZEN.say("small_talk.later"),
            now=now,
            inbound_id=inbound.id,
        )
    if turn.attempts >= _GIVE_UP_AFTER:
        inbound.state = InboundState.FAILED
    inbound.next_attempt_at = now + timedelta(seconds=min(_MAX_WAIT_S, 1.0 * 2 ** min(turn.attempts - 1, 7)))
    release(session, contact.id)


def release(session: Session, contact_id: int) -> None:
    """Give the conversation free."""
    session.execute(update(Contact).where(Contact.id == contact_id).values(turn_holder=None, turn_until=None))

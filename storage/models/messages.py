"""Rows of everything that came in and everything that goes out; they exist before anything else happens."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class InboundState(StrEnum):
    """Where a received event stands."""

    RECEIVED = "received"
    DONE = "done"
    FAILED = "failed"  # gave up after many attempts; staff sees it, the words are kept


class OutboundState(StrEnum):
    """Where a message to a person stands; the failures say who must act."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"  # may or may not have arrived; never sent again by itself
    WAITING_FOR_CONTACT = "waiting_for_contact"
    TEMPORARY_FAILURE = "temporary_failure"  # nobody: tried again at `due_at`
    PERMANENT_FAILURE = "permanent_failure"  # the person is gone or has opted out
    TECHNICAL_FAILURE = "technical_failure"  # us
    CANCELLED = "cancelled"
    PAUSED = "paused"  # staff stopped the announcement and may let it go on
    MERGED = "merged"  # part of a digest of what waited; takes that message's outcome

    @property
    def final(self) -> bool:
        """True when the sender will not touch the row again."""
        return self not in (
            OutboundState.QUEUED,
            OutboundState.SENDING,
            OutboundState.TEMPORARY_FAILURE,
            OutboundState.WAITING_FOR_CONTACT,
            OutboundState.PAUSED,
            OutboundState.MERGED,
        )


class OutboundKind(StrEnum):
    """Why a message is sent; also its precedence, see `PRIORITY`."""

    REPLY = "reply"
    ANSWER = "answer"
    NOTICE = "notice"
    DIGEST = "digest"  # what waited for the person's next message, in one
    ANNOUNCEMENT = "announcement"


class Route(StrEnum):
    """How a message goes, which decides what it costs."""

    MESSAGE = "message"  # the channel has no windows
    FREE_WINDOW = "free_window"
    PAID_WINDOW = "paid_window"
    TEMPLATE = "template"  # an approved form, outside of every window
    NEXT_CONTACT = "next_contact"  # nothing may be sent now: when the person next writes


# Dialogue first: a broadcast at full rate would starve people who wait for a reply.
PRIORITY = {
    OutboundKind.REPLY: 0,
    OutboundKind.NOTICE: 1,
    OutboundKind.DIGEST: 1,
    OutboundKind.ANSWER: 5,
    OutboundKind.ANNOUNCEMENT: 9,
}


class Inbound(Base):
    """One event of a platform, stored before the platform is answered; unique however often it is repeated.

    `payload` holds attachments and references as plain JSON; `text` and `payload` are erased when the
    person refuses consent or withdraws. `snapshot` is the dialogue as it was when the turn first began,
    so that a repeated turn takes the same way.
    """

    __tablename__ = "inbound"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[str] = mapped_column(String(80))
    external_id: Mapped[str] = mapped_column(String(160))
    sender_id: Mapped[str] = mapped_column(String(120))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default=InboundState.RECEIVED)
    snapshot: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    delay_told_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    intent: Mapped[str | None] = mapped_column(String(40))
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("channel", "account_id", "external_id"),
        # Partial: the backlog is tiny, the history grows without end.
        Index(
            "ix_inbound_backlog",
            "next_attempt_at",
            "id",
            sqlite_where=sql_text("state = 'received'"),
            postgresql_where=sql_text("state = 'received'"),
        ),
        Index(None, "contact_id", "id"),
        Index(
            "ix_inbound_backlog_of_sender",
            "channel",
            "account_id",
            "sender_id",
            "occurred_at",
            sqlite_where=sql_text("state = 'received'"),
            postgresql_where=sql_text("state = 'received'"),
        ),
    )


class ActionResult(Base):
    """What one action did for one inbound message: written with its effects, replayed when a turn repeats."""

    __tablename__ = "action_result"

    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id", ondelete="CASCADE"), primary_key=True)
    action: Mapped[str] = mapped_column(String(60), primary_key=True)
    result: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Outbound(Base):
    """One message to one person. `dedupe_key` is its cause, so that no cause can speak twice.

    `route` and `cost_vnd` are of the newest try; `merged_into` is the digest that carries the row.
    """

    __tablename__ = "outbound"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    dedupe_key: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[Any]] = mapped_column(default=list)
    priority: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default=OutboundState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    holder: Mapped[str | None] = mapped_column(String(60))
    failure: Mapped[str | None] = mapped_column(String(40))
    external_id: Mapped[str | None] = mapped_column(String(160))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"))
    announcement_id: Mapped[int | None] = mapped_column(ForeignKey("announcement.id"))
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("answer.id"), index=True)
    route: Mapped[str] = mapped_column(String(20), default=Route.MESSAGE, server_default="message")
    cost_vnd: Mapped[int] = mapped_column(default=0, server_default="0")
    merged_into: Mapped[int | None]

    __table_args__ = (
        Index(
            "ix_outbound_merged",
            "merged_into",
            sqlite_where=sql_text("merged_into IS NOT NULL"),
            postgresql_where=sql_text("merged_into IS NOT NULL"),
        ),
        Index(
            "ix_outbound_waiting",
            "contact_id",
            "id",
            sqlite_where=sql_text("state = 'waiting_for_contact'"),
            postgresql_where=sql_text("state = 'waiting_for_contact'"),
        ),
        Index(
            "ix_outbound_queue",
            "channel",
            "account_id",
            "priority",
            "due_at",
            sqlite_where=sql_text("state IN ('queued', 'temporary_failure')"),
            postgresql_where=sql_text("state IN ('queued', 'temporary_failure')"),
        ),
        # One message of a conversation is in flight at a time: the claim asks for earlier unsent ones.
        Index(
            "ix_outbound_unsent_of_contact",
            "contact_id",
            "id",
            sqlite_where=sql_text("state IN ('queued', 'sending', 'temporary_failure')"),
            postgresql_where=sql_text("state IN ('queued', 'sending', 'temporary_failure')"),
        ),
        Index(
            "ix_outbound_sending",
            "state",
            sqlite_where=sql_text("state = 'sending'"),
            postgresql_where=sql_text("state = 'sending'"),
        ),
        Index(None, "channel", "account_id", "external_id"),
        Index(None, "announcement_id", "state"),
    )


class Attempt(Base):
    """One try to send, opened before the network call: an open one tells of a crash in between."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    outbound_id: Mapped[int] = mapped_column(ForeignKey("outbound.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(300))


class StaffRequest(Base):
    """A conversation that a person must look at: asked for, or not understood twice in a row."""

    __tablename__ = "staff_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(10), default="open")
    created_at: Mapped[datetime]


class ChannelState(Base):
    """What one channel account must remember across restarts: poll cursor, rotating tokens, send path."""

    __tablename__ = "channel_state"

    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    cursor: Mapped[str | None] = mapped_column(String(80))
    access_token: Mapped[str | None] = mapped_column(Text)
    refresh_token: Mapped[str | None] = mapped_column(Text)
    previous_refresh_token: Mapped[str | None] = mapped_column(Text)
    token_expires_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Lease(Base):
    """Exclusive right to a piece of work until an instant, for holders in different processes."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    until: Mapped[datetime]

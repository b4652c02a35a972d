"""Concerns as the citizens wrote them, their events, attachments, vectors and supporters."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class ConcernState(StrEnum):
    """Where a concern stands; the names follow the glossary of the domain."""

    DRAFT = "draft"  # told, not yet confirmed by the citizen; never shown to staff
    RECEIVED = "received"
    NEEDS_DETAIL = "needs_detail"
    ON_AGENDA = "on_agenda"
    NOT_LISTED = "not_listed"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    QUARANTINED = "quarantined"  # legal door: not grouped, not exported, role-limited


class Concern(Base):
    """One matter of one person. `text` is the person's words joined in order, unchanged until erased."""

    __tablename__ = "concern"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(24), unique=True)
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    unit_code: Mapped[str] = mapped_column(ForeignKey("unit.code"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("dialogue_session.id"))
    first_inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"), unique=True)
    state: Mapped[str] = mapped_column(String(20), default=ConcernState.DRAFT)
    text: Mapped[str] = mapped_column(Text)
    text_key: Mapped[str] = mapped_column(String(64))
    # The words without diacritics, which the search of the staff looks through; empty once erased.
    folded: Mapped[str] = mapped_column(Text, default="", server_default="")
    # The unit that was asked to prepare the answer; such staff see nothing else.
    handler_code: Mapped[str | None] = mapped_column(ForeignKey("unit.code"))
    # The helper who wrote it down for somebody.
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    field_code: Mapped[str | None] = mapped_column(String(40))
    field_confidence: Mapped[float | None]
    place_text: Mapped[str | None] = mapped_column(String(200))
    door: Mapped[str] = mapped_column(String(20), default="normal")
    door_reasons: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "session_id", "state", "unit_code"),
        Index(None, "unit_code", "state"),
        Index(None, "handler_code"),
        Index(None, "citizen_id", "text_key"),
        Index("ix_concern_words", sql_text("to_tsvector('simple', folded)"), postgresql_using="gin").ddl_if(
            dialect="postgresql"
        ),
        Index(
            "ix_concern_one_draft",
            "contact_id",
            unique=True,
            sqlite_where=sql_text("state = 'draft'"),
            postgresql_where=sql_text("state = 'draft'"),
        ),
    )


class ConcernPart(Base):
    """One chat message that tells (a part of) a concern; editing a message on the platform edits its part."""

    __tablename__ = "concern_part"

    id: Mapped[int] = mapped_column(primary_key=True)
    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id", ondelete="CASCADE"), index=True)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("concern_id", "inbound_id"),)


class Attachment(Base):
    """A photo, file, voice note or location of the concern being told. `path` is relative to the data
    folder.
    """

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    concern_id: Mapped[int | None] = mapped_column(ForeignKey("concern.id"), index=True)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    source: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(12), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    path: Mapped[str | None] = mapped_column(String(200))
    mime_type: Mapped[str | None] = mapped_column(String(80))
    size_bytes: Mapped[int | None]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("inbound_id", "position"),)


class Transcript(Base):
    """The words of a voice note. `made_by` is a model or `staff:ID`; they count only when confirmed.

    `state` is `proposed`, `confirmed`, `rejected` (the citizen says it is wrong) or `failed` (staff type it).
    """

    __tablename__ = "transcript"

    attachment_id: Mapped[int] = mapped_column(
        ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    made_by: Mapped[str] = mapped_column(String(80))
    confirmed_by: Mapped[str | None] = mapped_column(String(60))
    attempts: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]


class ConcernEvent(Base):
    """One change of one concern: the citizen's history, the audit and the statistics read the same rows."""

    __tablename__ = "concern_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ConcernVector(Base):
    """The embedding of a concern, made once: `dim` little-endian float32 values of `model`.

    `themes` holds `[[theme, probability], …]`, likeliest first; None for vectors of an older version.
    """

    __tablename__ = "concern_vector"

    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(String(60))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    themes: Mapped[list[Any] | None]


class Support(Base):
    """A person who joined somebody's concern ("tôi cũng có ý kiến này"); counts once and gets the answer."""

    __tablename__ = "support"

    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id", ondelete="CASCADE"), primary_key=True)
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"), primary_key=True, index=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"))
    at: Mapped[datetime]


class CodeCounter(Base):
    """Last number given out for receipt codes of one prefix and year."""

    __tablename__ = "code_counter"

    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]

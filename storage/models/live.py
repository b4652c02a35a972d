"""What happens while a dialogue session is held: items taken up one by one, questions from the hall."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class LiveState(StrEnum):
    """Where one item of the agenda stands during the session."""

    WAITING = "waiting"
    NOW = "now"
    ANSWERED = "answered"  # on the spot
    WRITTEN = "written"  # to be answered in writing
    SKIPPED = "skipped"


class QuestionState(StrEnum):
    """Where a question from the hall stands; only `approved` and `asked` are ever shown in public."""

    WAITING = "waiting"
    HELD = "held"  # it knocks at a legal door: not for the hall, and for few of the staff
    APPROVED = "approved"
    ASKED = "asked"
    REFUSED = "refused"


class LiveRoom(Base):
    """The public side of one session: who knows the token may look, and ask while questions are open."""

    __tablename__ = "live_room"

    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(60), unique=True)
    is_open: Mapped[bool] = mapped_column(default=False, server_default=false())
    takes_questions: Mapped[bool] = mapped_column(default=False, server_default=false())
    made_at: Mapped[datetime]


class LiveItem(Base):
    """What became of one item (`T12`, `C7`) of the agenda; an item without a row waits."""

    __tablename__ = "live_item"

    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), primary_key=True)
    item_key: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    speaker: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[str] = mapped_column(String(200), default="")
    due_on: Mapped[date | None] = mapped_column(Date)
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class LiveStep(Base):
    """One step of the secretary with the rows as they were before, so that it can be taken back."""

    __tablename__ = "live_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), index=True)
    before: Mapped[dict[str, Any]]
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class LiveQuestion(Base):
    """A question that somebody in the hall sent by their phone, without a name."""

    __tablename__ = "live_question"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(20), default="")
    created_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "session_id", "state", "id"),)

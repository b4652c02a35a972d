"""Dialogue sessions and what hangs on them: topics, agendas, announcements, answers."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class SessionState(StrEnum):
    """Where a dialogue session stands."""

    PLANNED = "planned"
    COLLECTING = "collecting"
    CLOSED = "closed"  # collection is over; the agenda is made
    HELD = "held"
    PUBLISHED = "published"


class DialogueSession(Base):
    """A dated dialogue with the People (phiên đối thoại), of one unit; never called a bare session."""

    __tablename__ = "dialogue_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(ForeignKey("unit.code"))
    title: Mapped[str] = mapped_column(String(200))
    chair: Mapped[str] = mapped_column(String(200), default="")
    place: Mapped[str] = mapped_column(String(200), default="")
    held_at: Mapped[datetime]
    collects_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default=SessionState.PLANNED)
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "unit_code", "state", "held_at"),)


class Topic(Base):
    """Concerns of one dialogue session that one answer would settle."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), index=True)
    field_code: Mapped[str | None] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(200))
    representative_id: Mapped[int | None] = mapped_column(ForeignKey("concern.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    theme: Mapped[str | None] = mapped_column(String(80))
    # Mean of the members' unit vectors, little-endian float32: where a newcomer is compared.
    centroid: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Staff's word: a locked topic takes nobody in by itself, a name that staff gave outlives regrouping.
    locked: Mapped[bool] = mapped_column(default=False, server_default=false())
    named_by: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (Index(None, "session_id", "theme"),)


class TopicMember(Base):
    """The one topic of a concern, who put it there and why; the concern itself is never overwritten.

    `pinned` members were placed by staff and stay where they are through every regrouping.
    """

    __tablename__ = "topic_member"

    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"), index=True)
    placed_by: Mapped[str] = mapped_column(String(60))
    why: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())


class TopicEdit(Base):
    """One correction of staff to the grouping, with what it changed, so that it can be taken back.

    `before` holds `{"members": [[concern, topic, pinned, placed_by], …], "topics": [[topic, label, named_by, locked,
    retired], …]}` as they were; `kind` is merge, split, move, rename or lock.
    """

    __tablename__ = "topic_edit"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(60))
    why: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]
    before: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]


class Agenda(Base):
    """A numbered snapshot of the agenda that can be exported again exactly as it was."""

    __tablename__ = "agenda"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"))
    version: Mapped[int]
    body: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(60))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (UniqueConstraint("session_id", "version"),)


class AgendaChoice(Base):
    """What people decided about one item of the agenda, over the proposed ranking.

    `item_key` is the item's key (`T12` a topic, `C7` a concern alone). `position` orders the items of a
    field, unset ones come after; `left_out` is the coded reason why the item is not asked.
    """

    __tablename__ = "agenda_choice"

    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), primary_key=True)
    item_key: Mapped[str] = mapped_column(String(20), primary_key=True)
    position: Mapped[int | None]
    left_out: Mapped[str | None] = mapped_column(String(30))
    decided_by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class AnnouncementState(StrEnum):
    """Where an announcement stands."""

    SCHEDULED = "scheduled"  # its rows are written when its time comes
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Reach(StrEnum):
    """How far an announcement may go on channels that charge; each goes as far as the one before, and further."""

    FREE = "free"
    PAID = "paid"
    TEMPLATE = "template"


class Announcement(Base):
    """A notice to the subscribers of a unit. One outbound row per recipient when it starts.

    A scheduled one has `starts_at`, or `before_minutes` before its dialogue session, wherever that moves. `plan` is
    what staff confirmed; `spent_vnd` never exceeds `cost_limit_vnd`: the run stops, and `stopped_why` says why.
    """

    __tablename__ = "announcement"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(ForeignKey("unit.code"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("dialogue_session.id"))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(60))
    starts_at: Mapped[datetime | None]
    before_minutes: Mapped[int | None]
    reach: Mapped[str] = mapped_column(String(12), default=Reach.FREE, server_default="free")
    cost_limit_vnd: Mapped[int] = mapped_column(default=0, server_default="0")
    spent_vnd: Mapped[int] = mapped_column(default=0, server_default="0")
    stopped_why: Mapped[str | None] = mapped_column(String(40))
    template_data: Mapped[dict[str, Any] | None]
    plan: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index(
            "ix_announcement_scheduled",
            "id",
            sqlite_where=sql_text("state = 'scheduled'"),
            postgresql_where=sql_text("state = 'scheduled'"),
        ),
    )


class Answer(Base):
    """An official answer to one matter of one session; covers every concern listed in `answer_concern`."""

    __tablename__ = "answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("dialogue_session.id"), index=True)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))
    text: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[str] = mapped_column(String(200), default="")
    legal_basis: Mapped[str] = mapped_column(String(300), default="")
    due_on: Mapped[date | None] = mapped_column(Date)
    source_row: Mapped[str | None] = mapped_column(String(120))
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class AnswerConcern(Base):
    """Which concerns an answer settles; every asker and every supporter of them gets the answer once."""

    __tablename__ = "answer_concern"

    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id", ondelete="CASCADE"), primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index(None, "answer_id"),)

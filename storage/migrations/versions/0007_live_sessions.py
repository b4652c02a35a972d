"""The session itself: what became of each item, the steps of the secretary, questions from the hall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _of_session(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_session_id_dialogue_session")
    return sa.ForeignKeyConstraint(["session_id"], ["dialogue_session.id"], name=name)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "live_room",
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("token", sa.String(length=60), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("takes_questions", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        _of_session("live_room"),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_live_room")),
        sa.UniqueConstraint("token", name=op.f("uq_live_room_token")),
    )
    op.create_table(
        "live_item",
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("item_key", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("speaker", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        _of_session("live_item"),
        sa.PrimaryKeyConstraint("session_id", "item_key", name=op.f("pk_live_item")),
    )
    op.create_table(
        "live_step",
        sa.Column("id", _INT, nullable=False),
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("before", _JSON, nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("undone_at", _TIME, nullable=True),
        _of_session("live_step"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_step")),
    )
    op.create_index(op.f("ix_live_step_session_id"), "live_step", ["session_id"])
    op.create_table(
        "live_question",
        sa.Column("id", _INT, nullable=False),
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("decided_at", _TIME, nullable=True),
        _of_session("live_question"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_question")),
    )
    op.create_index(
        op.f("ix_live_question_session_id_state_id"), "live_question", ["session_id", "state", "id"]
    )


def downgrade() -> None:
    """Take back."""
    for table in ("live_question", "live_step", "live_item", "live_room"):
        op.drop_table(table)

"""Themes beside vectors, staff's corrections to topics and how they are taken back.

Older code runs beside it: every new column is empty or false by default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("concern_vector") as vector:
        vector.add_column(sa.Column("themes", _JSON, nullable=True))
    with op.batch_alter_table("topic") as topic:
        topic.add_column(sa.Column("theme", sa.String(length=80), nullable=True))
        topic.add_column(sa.Column("centroid", sa.LargeBinary(), nullable=True))
        topic.add_column(sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False))
        topic.add_column(sa.Column("named_by", sa.String(length=60), nullable=True))
        topic.create_index(op.f("ix_topic_session_id_theme"), ["session_id", "theme"])
    with op.batch_alter_table("topic_member") as member:
        member.add_column(sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "topic_edit",
        sa.Column("id", _INT, nullable=False),
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("before", _JSON, nullable=False),
        sa.Column("undone_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["dialogue_session.id"],
            name=op.f("fk_topic_edit_session_id_dialogue_session"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_edit")),
    )
    op.create_index(op.f("ix_topic_edit_session_id"), "topic_edit", ["session_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("topic_edit")
    with op.batch_alter_table("topic_member") as member:
        member.drop_column("pinned")
    with op.batch_alter_table("topic") as topic:
        topic.drop_index(op.f("ix_topic_session_id_theme"))
        topic.drop_column("named_by")
        topic.drop_column("locked")
        topic.drop_column("centroid")
        topic.drop_column("theme")
    with op.batch_alter_table("concern_vector") as vector:
        vector.drop_column("themes")

"""Announcements that start later, what messages cost and by which route they go, digests of what waited.

Older code runs beside it: every new column is empty or has a default.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_OUTBOUND = ("route", "cost_vnd", "merged_into")
_ANNOUNCEMENT = (
    "starts_at",
    "before_minutes",
    "reach",
    "cost_limit_vnd",
    "spent_vnd",
    "stopped_why",
    "template_data",
    "plan",
)


def upgrade() -> None:
    """Apply. Plain ADD COLUMN: SQLite need not copy millions of rows."""
    _add_columns(
        "outbound",
        sa.Column("route", sa.String(length=20), server_default="message", nullable=False),
        sa.Column("cost_vnd", _INT, server_default="0", nullable=False),
        sa.Column("merged_into", _INT, nullable=True),
    )
    _partial_index("ix_outbound_merged", "outbound", ["merged_into"], "merged_into IS NOT NULL")
    _partial_index("ix_outbound_waiting", "outbound", ["contact_id", "id"], "state = 'waiting_for_contact'")
    _add_columns(
        "announcement",
        sa.Column("starts_at", _TIME, nullable=True),
        sa.Column("before_minutes", _INT, nullable=True),
        sa.Column("reach", sa.String(length=12), server_default="free", nullable=False),
        sa.Column("cost_limit_vnd", _INT, server_default="0", nullable=False),
        sa.Column("spent_vnd", _INT, server_default="0", nullable=False),
        sa.Column("stopped_why", sa.String(length=40), nullable=True),
        sa.Column("template_data", _JSON, nullable=True),
        sa.Column("plan", _JSON, nullable=True),
    )
    _partial_index("ix_announcement_scheduled", "announcement", ["id"], "state = 'scheduled'")


def _add_columns(table: str, *columns: sa.Column[Any]) -> None:
    for column in columns:
        op.add_column(table, column)


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Take back. A digest that was not sent yet is lost; the rows in it wait again."""
    op.execute("UPDATE outbound SET state = 'waiting_for_contact' WHERE state = 'merged'")
    op.drop_index("ix_announcement_scheduled", "announcement")
    op.drop_index("ix_outbound_waiting", "outbound")
    op.drop_index("ix_outbound_merged", "outbound")
    for column in _OUTBOUND:
        op.drop_column("outbound", column)
    for column in _ANNOUNCEMENT:
        op.drop_column("announcement", column)

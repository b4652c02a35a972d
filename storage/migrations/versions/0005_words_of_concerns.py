"""An index over the folded words of concerns, for the search of the staff on PostgreSQL.

SQLite looks through the column itself: an index of its own would need triggers, which batch migrations of the
table lose without a word. Old code runs beside it.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX ix_concern_words ON concern USING gin (to_tsvector('simple', folded))")


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_concern_words")

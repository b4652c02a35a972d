"""What the staff console needs: logins, guesses, a search column, handlers, hand-made agenda choices.

Older code runs beside it: every new column is empty by default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("staff_member") as staff:
        staff.add_column(
            sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        staff.add_column(sa.Column("totp_secret", sa.String(length=64), nullable=True))
        staff.add_column(sa.Column("totp_step", _INT, nullable=True))
    op.create_table(
        "staff_login",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", _INT, nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_staff_login_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_login")),
    )
    op.create_index(op.f("ix_staff_login_staff_id"), "staff_login", ["staff_id"])
    op.create_table(
        "login_guess",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", _INT, nullable=False),
        sa.Column("blocked_until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_guess")),
    )
    with op.batch_alter_table("concern") as concern:
        concern.add_column(sa.Column("folded", sa.Text(), server_default="", nullable=False))
        concern.add_column(sa.Column("handler_code", sa.String(length=5), nullable=True))
        concern.add_column(sa.Column("entered_by", _INT, nullable=True))
        concern.create_foreign_key(op.f("fk_concern_handler_code_unit"), "unit", ["handler_code"], ["code"])
        concern.create_foreign_key(
            op.f("fk_concern_entered_by_staff_member"), "staff_member", ["entered_by"], ["id"]
        )
        concern.create_index(op.f("ix_concern_unit_code_state"), ["unit_code", "state"])
        concern.create_index(op.f("ix_concern_handler_code"), ["handler_code"])
    with op.batch_alter_table("agenda") as agenda:
        agenda.add_column(sa.Column("approved_at", _TIME, nullable=True))
        agenda.add_column(sa.Column("approved_by", sa.String(length=60), nullable=True))
    op.create_table(
        "agenda_choice",
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("item_key", sa.String(length=20), nullable=False),
        sa.Column("position", _INT, nullable=True),
        sa.Column("left_out", sa.String(length=30), nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["dialogue_session.id"],
            name=op.f("fk_agenda_choice_session_id_dialogue_session"),
        ),
        sa.PrimaryKeyConstraint("session_id", "item_key", name=op.f("pk_agenda_choice")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("agenda_choice")
    with op.batch_alter_table("agenda") as agenda:
        agenda.drop_column("approved_by")
        agenda.drop_column("approved_at")
    with op.batch_alter_table("concern") as concern:
        concern.drop_index(op.f("ix_concern_handler_code"))
        concern.drop_index(op.f("ix_concern_unit_code_state"))
        concern.drop_constraint(op.f("fk_concern_entered_by_staff_member"), type_="foreignkey")
        concern.drop_constraint(op.f("fk_concern_handler_code_unit"), type_="foreignkey")
        concern.drop_column("entered_by")
        concern.drop_column("handler_code")
        concern.drop_column("folded")
    op.drop_table("login_guess")
    op.drop_table("staff_login")
    with op.batch_alter_table("staff_member") as staff:
        staff.drop_column("totp_step")
        staff.drop_column("totp_secret")
        staff.drop_column("must_change_password")

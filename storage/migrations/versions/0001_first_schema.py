"""The first schema: people, messages, concerns, sessions. No older code runs beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "channel_state",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("cursor", sa.String(length=80), nullable=True),
        sa.Column("access_token", sa.Text(), nullable=True),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("previous_refresh_token", sa.Text(), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("channel", "account_id", name=op.f("pk_channel_state")),
    )
    op.create_table(
        "code_counter",
        sa.Column("prefix", sa.String(length=8), nullable=False),
        sa.Column("year", _INT, nullable=False),
        sa.Column("last", _INT, nullable=False),
        sa.PrimaryKeyConstraint("prefix", "year", name=op.f("pk_code_counter")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=5), nullable=False),
        sa.Column("parent_code", sa.String(length=5), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("profile", _JSON, nullable=False),
        sa.ForeignKeyConstraint(["parent_code"], ["unit.code"], name=op.f("fk_unit_parent_code_unit")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_parent_code"), ["parent_code"], unique=False)

    op.create_table(
        "citizen",
        sa.Column("id", _INT, nullable=False),
        sa.Column("unit_code", sa.String(length=5), nullable=True),
        sa.Column("consent", sa.String(length=10), nullable=False),
        sa.Column("consent_version", sa.String(length=20), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wants_announcements", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_citizen_unit_code_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citizen")),
    )
    with op.batch_alter_table("citizen", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_citizen_unit_code"), ["unit_code"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_citizen_unit_code_wants_announcements"),
            ["unit_code", "wants_announcements"],
            unique=False,
        )

    op.create_table(
        "dialogue_session",
        sa.Column("id", _INT, nullable=False),
        sa.Column("unit_code", sa.String(length=5), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("chair", sa.String(length=200), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collects_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_code"], ["unit.code"], name=op.f("fk_dialogue_session_unit_code_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogue_session")),
    )
    with op.batch_alter_table("dialogue_session", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dialogue_session_unit_code_state_held_at"),
            ["unit_code", "state", "held_at"],
            unique=False,
        )

    op.create_table(
        "staff_member",
        sa.Column("id", _INT, nullable=False),
        sa.Column("unit_code", sa.String(length=5), nullable=False),
        sa.Column("login", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_staff_member_unit_code_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_member")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_member_login")),
    )
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_member_unit_code"), ["unit_code"], unique=False)

    op.create_table(
        "agenda",
        sa.Column("id", _INT, nullable=False),
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("version", _INT, nullable=False),
        sa.Column("body", _JSON, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["dialogue_session.id"], name=op.f("fk_agenda_session_id_dialogue_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda")),
        sa.UniqueConstraint("session_id", "version", name=op.f("uq_agenda_session_id_version")),
    )
    op.create_table(
        "announcement",
        sa.Column("id", _INT, nullable=False),
        sa.Column("unit_code", sa.String(length=5), nullable=False),
        sa.Column("session_id", _INT, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["dialogue_session.id"], name=op.f("fk_announcement_session_id_dialogue_session")
        ),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_announcement_unit_code_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_table(
        "contact",
        sa.Column("id", _INT, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("citizen_id", _INT, nullable=False),
        sa.Column("reachable", sa.Boolean(), nullable=False),
        sa.Column("bot_paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_inbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dialogue", _JSON, nullable=False),
        sa.Column("turn_holder", sa.String(length=60), nullable=True),
        sa.Column("turn_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizen.id"], name=op.f("fk_contact_citizen_id_citizen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint(
            "channel", "account_id", "external_id", name=op.f("uq_contact_channel_account_id_external_id")
        ),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_citizen_id"), ["citizen_id"], unique=False)

    op.create_table(
        "inbound",
        sa.Column("id", _INT, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=160), nullable=False),
        sa.Column("sender_id", sa.String(length=120), nullable=False),
        sa.Column("contact_id", _INT, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("snapshot", _JSON, nullable=True),
        sa.Column("attempts", _INT, nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delay_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("intent", sa.String(length=40), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_inbound_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint(
            "channel", "account_id", "external_id", name=op.f("uq_inbound_channel_account_id_external_id")
        ),
    )
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbound_backlog",
            ["next_attempt_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'received'"),
            postgresql_where=sa.text("state = 'received'"),
        )
        batch_op.create_index(
            "ix_inbound_backlog_of_sender",
            ["channel", "account_id", "sender_id", "occurred_at"],
            unique=False,
            sqlite_where=sa.text("state = 'received'"),
            postgresql_where=sa.text("state = 'received'"),
        )
        batch_op.create_index(batch_op.f("ix_inbound_contact_id_id"), ["contact_id", "id"], unique=False)

    op.create_table(
        "action_result",
        sa.Column("inbound_id", _INT, nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("result", _JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound.id"],
            name=op.f("fk_action_result_inbound_id_inbound"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inbound_id", "action", name=op.f("pk_action_result")),
    )
    op.create_table(
        "concern",
        sa.Column("id", _INT, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=True),
        sa.Column("citizen_id", _INT, nullable=False),
        sa.Column("contact_id", _INT, nullable=False),
        sa.Column("unit_code", sa.String(length=5), nullable=False),
        sa.Column("session_id", _INT, nullable=True),
        sa.Column("first_inbound_id", _INT, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_key", sa.String(length=64), nullable=False),
        sa.Column("field_code", sa.String(length=40), nullable=True),
        sa.Column("field_confidence", sa.Double(), nullable=True),
        sa.Column("place_text", sa.String(length=200), nullable=True),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("door_reasons", _JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizen.id"], name=op.f("fk_concern_citizen_id_citizen")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_concern_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["first_inbound_id"], ["inbound.id"], name=op.f("fk_concern_first_inbound_id_inbound")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["dialogue_session.id"], name=op.f("fk_concern_session_id_dialogue_session")
        ),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_concern_unit_code_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern")),
        sa.UniqueConstraint("code", name=op.f("uq_concern_code")),
        sa.UniqueConstraint("first_inbound_id", name=op.f("uq_concern_first_inbound_id")),
    )
    with op.batch_alter_table("concern", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_concern_citizen_id_text_key"), ["citizen_id", "text_key"], unique=False
        )
        batch_op.create_index(
            "ix_concern_one_draft",
            ["contact_id"],
            unique=True,
            sqlite_where=sa.text("state = 'draft'"),
            postgresql_where=sa.text("state = 'draft'"),
        )
        batch_op.create_index(
            batch_op.f("ix_concern_session_id_state_unit_code"),
            ["session_id", "state", "unit_code"],
            unique=False,
        )

    op.create_table(
        "consent_record",
        sa.Column("id", _INT, nullable=False),
        sa.Column("citizen_id", _INT, nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("inbound_id", _INT, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name=op.f("fk_consent_record_citizen_id_citizen")
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"], ["inbound.id"], name=op.f("fk_consent_record_inbound_id_inbound")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_record")),
    )
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_record_citizen_id"), ["citizen_id"], unique=False)

    op.create_table(
        "staff_request",
        sa.Column("id", _INT, nullable=False),
        sa.Column("contact_id", _INT, nullable=False),
        sa.Column("inbound_id", _INT, nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_staff_request_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"], ["inbound.id"], name=op.f("fk_staff_request_inbound_id_inbound")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_request")),
        sa.UniqueConstraint("inbound_id", name=op.f("uq_staff_request_inbound_id")),
    )
    with op.batch_alter_table("staff_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_request_contact_id"), ["contact_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", _INT, nullable=False),
        sa.Column("contact_id", _INT, nullable=False),
        sa.Column("concern_id", _INT, nullable=True),
        sa.Column("inbound_id", _INT, nullable=False),
        sa.Column("position", _INT, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source", _JSON, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", _INT, nullable=False),
        sa.Column("path", sa.String(length=200), nullable=True),
        sa.Column("mime_type", sa.String(length=80), nullable=True),
        sa.Column("size_bytes", _INT, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_attachment_concern_id_concern")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_attachment_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"], ["inbound.id"], name=op.f("fk_attachment_inbound_id_inbound")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("inbound_id", "position", name=op.f("uq_attachment_inbound_id_position")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_concern_id"), ["concern_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_contact_id"), ["contact_id"], unique=False)

    op.create_table(
        "concern_event",
        sa.Column("id", _INT, nullable=False),
        sa.Column("concern_id", _INT, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("detail", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"],
            ["concern.id"],
            name=op.f("fk_concern_event_concern_id_concern"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern_event")),
    )
    with op.batch_alter_table("concern_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_concern_event_concern_id"), ["concern_id"], unique=False)

    op.create_table(
        "concern_part",
        sa.Column("id", _INT, nullable=False),
        sa.Column("concern_id", _INT, nullable=False),
        sa.Column("inbound_id", _INT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"],
            ["concern.id"],
            name=op.f("fk_concern_part_concern_id_concern"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"], ["inbound.id"], name=op.f("fk_concern_part_inbound_id_inbound")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern_part")),
        sa.UniqueConstraint("concern_id", "inbound_id", name=op.f("uq_concern_part_concern_id_inbound_id")),
    )
    with op.batch_alter_table("concern_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_concern_part_concern_id"), ["concern_id"], unique=False)

    op.create_table(
        "concern_vector",
        sa.Column("concern_id", _INT, nullable=False),
        sa.Column("model", sa.String(length=60), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"],
            ["concern.id"],
            name=op.f("fk_concern_vector_concern_id_concern"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("concern_id", name=op.f("pk_concern_vector")),
    )
    op.create_table(
        "support",
        sa.Column("concern_id", _INT, nullable=False),
        sa.Column("citizen_id", _INT, nullable=False),
        sa.Column("contact_id", _INT, nullable=False),
        sa.Column("inbound_id", _INT, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizen.id"], name=op.f("fk_support_citizen_id_citizen")),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_support_concern_id_concern"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_support_contact_id_contact")),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_support_inbound_id_inbound")),
        sa.PrimaryKeyConstraint("concern_id", "citizen_id", name=op.f("pk_support")),
    )
    with op.batch_alter_table("support", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_citizen_id"), ["citizen_id"], unique=False)

    op.create_table(
        "topic",
        sa.Column("id", _INT, nullable=False),
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("field_code", sa.String(length=40), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("representative_id", _INT, nullable=True),
        sa.Column("facts", _JSON, nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["representative_id"], ["concern.id"], name=op.f("fk_topic_representative_id_concern")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["dialogue_session.id"], name=op.f("fk_topic_session_id_dialogue_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
    )
    with op.batch_alter_table("topic", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topic_session_id"), ["session_id"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", _INT, nullable=False),
        sa.Column("session_id", _INT, nullable=False),
        sa.Column("topic_id", _INT, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=200), nullable=False),
        sa.Column("legal_basis", sa.String(length=300), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("source_row", sa.String(length=120), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["dialogue_session.id"], name=op.f("fk_answer_session_id_dialogue_session")
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_answer_topic_id_topic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answer_session_id"), ["session_id"], unique=False)

    op.create_table(
        "topic_member",
        sa.Column("concern_id", _INT, nullable=False),
        sa.Column("topic_id", _INT, nullable=False),
        sa.Column("placed_by", sa.String(length=60), nullable=False),
        sa.Column("why", _JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"],
            ["concern.id"],
            name=op.f("fk_topic_member_concern_id_concern"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_topic_member_topic_id_topic")),
        sa.PrimaryKeyConstraint("concern_id", name=op.f("pk_topic_member")),
    )
    with op.batch_alter_table("topic_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topic_member_topic_id"), ["topic_id"], unique=False)

    op.create_table(
        "answer_concern",
        sa.Column("concern_id", _INT, nullable=False),
        sa.Column("answer_id", _INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answer.id"], name=op.f("fk_answer_concern_answer_id_answer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["concern_id"],
            ["concern.id"],
            name=op.f("fk_answer_concern_concern_id_concern"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("concern_id", "answer_id", name=op.f("pk_answer_concern")),
    )
    with op.batch_alter_table("answer_concern", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answer_concern_answer_id"), ["answer_id"], unique=False)

    op.create_table(
        "outbound",
        sa.Column("id", _INT, nullable=False),
        sa.Column("contact_id", _INT, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("dedupe_key", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("choices", _JSON, nullable=False),
        sa.Column("priority", _INT, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", _INT, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("external_id", sa.String(length=160), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inbound_id", _INT, nullable=True),
        sa.Column("announcement_id", _INT, nullable=True),
        sa.Column("answer_id", _INT, nullable=True),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name=op.f("fk_outbound_announcement_id_announcement")
        ),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_outbound_answer_id_answer")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_outbound_contact_id_contact")),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_outbound_inbound_id_inbound")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbound_dedupe_key")),
    )
    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbound_announcement_id_state"), ["announcement_id", "state"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_outbound_answer_id"), ["answer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_outbound_channel_account_id_external_id"),
            ["channel", "account_id", "external_id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_outbound_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(
            "ix_outbound_queue",
            ["channel", "account_id", "priority", "due_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'temporary_failure')"),
            postgresql_where=sa.text("state IN ('queued', 'temporary_failure')"),
        )
        batch_op.create_index(
            "ix_outbound_sending",
            ["state"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index(
            "ix_outbound_unsent_of_contact",
            ["contact_id", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'sending', 'temporary_failure')"),
            postgresql_where=sa.text("state IN ('queued', 'sending', 'temporary_failure')"),
        )

    op.create_table(
        "attempt",
        sa.Column("id", _INT, nullable=False),
        sa.Column("outbound_id", _INT, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["outbound_id"], ["outbound.id"], name=op.f("fk_attempt_outbound_id_outbound"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_outbound_id"), ["outbound_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_outbound_id"))

    op.drop_table("attempt")
    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbound_unsent_of_contact",
            sqlite_where=sa.text("state IN ('queued', 'sending', 'temporary_failure')"),
            postgresql_where=sa.text("state IN ('queued', 'sending', 'temporary_failure')"),
        )
        batch_op.drop_index(
            "ix_outbound_sending",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index(
            "ix_outbound_queue",
            sqlite_where=sa.text("state IN ('queued', 'temporary_failure')"),
            postgresql_where=sa.text("state IN ('queued', 'temporary_failure')"),
        )
        batch_op.drop_index(batch_op.f("ix_outbound_contact_id"))
        batch_op.drop_index(batch_op.f("ix_outbound_channel_account_id_external_id"))
        batch_op.drop_index(batch_op.f("ix_outbound_answer_id"))
        batch_op.drop_index(batch_op.f("ix_outbound_announcement_id_state"))

    op.drop_table("outbound")
    with op.batch_alter_table("answer_concern", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_concern_answer_id"))

    op.drop_table("answer_concern")
    with op.batch_alter_table("topic_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_topic_member_topic_id"))

    op.drop_table("topic_member")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_session_id"))

    op.drop_table("answer")
    with op.batch_alter_table("topic", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_topic_session_id"))

    op.drop_table("topic")
    with op.batch_alter_table("support", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_citizen_id"))

    op.drop_table("support")
    op.drop_table("concern_vector")
    with op.batch_alter_table("concern_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_concern_part_concern_id"))

    op.drop_table("concern_part")
    with op.batch_alter_table("concern_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_concern_event_concern_id"))

    op.drop_table("concern_event")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_contact_id"))
        batch_op.drop_index(batch_op.f("ix_attachment_concern_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("staff_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_request_contact_id"))

    op.drop_table("staff_request")
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_record_citizen_id"))

    op.drop_table("consent_record")
    with op.batch_alter_table("concern", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_concern_session_id_state_unit_code"))
        batch_op.drop_index(
            "ix_concern_one_draft",
            sqlite_where=sa.text("state = 'draft'"),
            postgresql_where=sa.text("state = 'draft'"),
        )
        batch_op.drop_index(batch_op.f("ix_concern_citizen_id_text_key"))

    op.drop_table("concern")
    op.drop_table("action_result")
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbound_contact_id_id"))
        batch_op.drop_index(
            "ix_inbound_backlog_of_sender",
            sqlite_where=sa.text("state = 'received'"),
            postgresql_where=sa.text("state = 'received'"),
        )
        batch_op.drop_index(
            "ix_inbound_backlog",
            sqlite_where=sa.text("state = 'received'"),
            postgresql_where=sa.text("state = 'received'"),
        )

    op.drop_table("inbound")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_citizen_id"))

    op.drop_table("contact")
    op.drop_table("announcement")
    op.drop_table("agenda")
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_member_unit_code"))

    op.drop_table("staff_member")
    with op.batch_alter_table("dialogue_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dialogue_session_unit_code_state_held_at"))

    op.drop_table("dialogue_session")
    with op.batch_alter_table("citizen", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_citizen_unit_code_wants_announcements"))
        batch_op.drop_index(batch_op.f("ix_citizen_unit_code"))

    op.drop_table("citizen")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_parent_code"))

    op.drop_table("unit")
    op.drop_table("lease")
    op.drop_table("code_counter")
    op.drop_table("channel_state")

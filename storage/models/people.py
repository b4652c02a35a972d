"""Units, staff, citizens, their contacts on channels, and proof of consent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class ConsentState(StrEnum):
    """Whether we may keep a person's words; silence is not consent."""

    UNSET = "unset"
    GRANTED = "granted"
    REFUSED = "refused"


class StaffRole(StrEnum):
    """Roles of staff (domain: who is who)."""

    QUAN_TRI = "quan_tri"
    THAM_MUU = "tham_muu"
    VAN_PHONG = "van_phong"
    CHU_TRI = "chu_tri"
    DON_VI_XU_LY = "don_vi_xu_ly"
    GIAM_SAT = "giam_sat"
    NGUOI_HO_TRO = "nguoi_ho_tro"


class Unit(Base):
    """A tenant: a province, or a commune-level unit below it. `code` is the official code (2 or 5 digits)."""

    __tablename__ = "unit"

    code: Mapped[str] = mapped_column(String(5), primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("unit.code"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StaffMember(Base):
    """A person who works with the records, limited to one unit and what lies below it."""

    __tablename__ = "staff_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(ForeignKey("unit.code"), index=True)
    login: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Set when the second factor is in use; `totp_step` is the last code taken, so that none works twice.
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_step: Mapped[int | None]
    created_at: Mapped[datetime]


class StaffLogin(Base):
    """One signed-in browser. The cookie's value is never stored, only its hash.

    `verified` is False between the password and the second factor: such a row opens nothing yet.
    """

    __tablename__ = "staff_login"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id", ondelete="CASCADE"), index=True)
    verified: Mapped[bool]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LoginGuess(Base):
    """Failed tries of one login name or one address; `key` is a hash, so that a mistyped password in the
    name field stays unreadable.
    """

    __tablename__ = "login_guess"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    blocked_until: Mapped[datetime]


class Citizen(Base):
    """A person, counted once whatever they write. Name stays empty unless the person gave it for showing."""

    __tablename__ = "citizen"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str | None] = mapped_column(ForeignKey("unit.code"), index=True)
    consent: Mapped[str] = mapped_column(String(10), default=ConsentState.UNSET)
    consent_version: Mapped[str | None] = mapped_column(String(20))
    consent_at: Mapped[datetime | None]
    wants_announcements: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "unit_code", "wants_announcements"),)


class ConsentRecord(Base):
    """Proof of one decision about one purpose: version of the text, time, and the message that said so."""

    __tablename__ = "consent_record"

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(10))
    granted: Mapped[bool]
    text_version: Mapped[str] = mapped_column(String(20))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"))
    at: Mapped[datetime]


class Contact(Base):
    """One person on one channel account, and where the dialogue with them stands.

    `dialogue` is the snapshot that each turn is seeded from; `turn_holder`/`turn_until` is the lease
    that keeps one conversation in order across workers.
    """

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[str] = mapped_column(String(80))
    external_id: Mapped[str] = mapped_column(String(120))
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"), index=True)
    reachable: Mapped[bool] = mapped_column(default=True)
    bot_paused_until: Mapped[datetime | None]
    last_inbound_at: Mapped[datetime | None]
    dialogue: Mapped[dict[str, Any]] = mapped_column(default=dict)
    turn_holder: Mapped[str | None] = mapped_column(String(60))
    turn_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("channel", "account_id", "external_id"),)

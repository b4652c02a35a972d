"""Staff accounts; passwords are kept as argon2 hashes only."""

from __future__ import annotations

import secrets
from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import StaffMember, StaffRole, Unit

_LOGIN_LIMIT = 80
_NAME_LIMIT = 120
FIRST_LOGIN = "quantri"
_LEAST_LENGTH = 10
_MOST_LENGTH = 200
# Letters that nobody confuses when reading a printed password aloud.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class StaffError(ValueError):
    """A staff account could not be made; `code` is a key of the staff catalogue."""

    def __init__(self, code: str, /, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def add(
    session: Session,
    *,
    login: str,
    name: str,
    role: StaffRole,
    unit_code: str,
    password: str | None,
    now: datetime,
) -> StaffMember:
    """Make an account; raises `StaffError` for an unknown unit or a login that is taken or too long."""
    login, name = login.strip(), name.strip()
    if not (0 < len(login) <= _LOGIN_LIMIT and 0 < len(name) <= _NAME_LIMIT):
        raise StaffError("staff.length", login=_LOGIN_LIMIT, name=_NAME_LIMIT)
    if session.get(Unit, unit_code) is None:
        raise StaffError("error.unknown_unit", code=unit_code)
    if session.scalar(select(StaffMember.id).where(StaffMember.login == login)) is not None:
        raise StaffError("staff.exists", login=login)
    member = StaffMember(
        login=login,
        name=name,
        role=role,
        unit_code=unit_code,
        password_hash=PasswordHasher().hash(password) if password else None,
        created_at=now,
    )
    session.add(member)
    session.flush()
    return member


def check_password_rules(password: str, *, login: str) -> None:
    """Raise `StaffError` for a password that is too short, endless, or the login name itself."""
    if len(password) < _LEAST_LENGTH:
        raise StaffError("staff.password_short")
    if len(password) > _MOST_LENGTH:
        raise StaffError("staff.password_long")
    if password.casefold().strip() == login.casefold() or len(set(password)) < 4:
        raise StaffError("staff.password_weak")


def one_time_password() -> str:
    """A random password of some 78 bits in four groups, to be changed at the first login."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def set_one_time_password(session: Session, member: StaffMember) -> str:
    """Give an account a password that opens only the page where it is changed; the second factor is taken off."""
    password = one_time_password()
    member.password_hash = PasswordHasher().hash(password)
    member.must_change_password = True
    member.totp_secret = member.totp_step = None
    session.flush()
    return password


def first_administrator(session: Session, *, unit_code: str, now: datetime) -> str | None:
    """Make the first administrator of an installation that has no administrator yet.

    Returns the one-time password, once: None when there is an administrator already.
    """
    query = select(StaffMember.id).where(StaffMember.role == StaffRole.QUAN_TRI)
    if session.scalar(query.limit(1)) is not None:
        return None
    member = add(
        session,
        login=FIRST_LOGIN,
        name="Quản trị",
        role=StaffRole.QUAN_TRI,
        unit_code=unit_code,
        password=None,
        now=now,
    )
    return set_one_time_password(session, member)

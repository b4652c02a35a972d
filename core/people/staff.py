"""Staff accounts; passwords are kept as argon2 hashes only."""

from __future__ import annotations

from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import StaffMember, StaffRole, Unit

_LOGIN_LIMIT = 80
_NAME_LIMIT = 120


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

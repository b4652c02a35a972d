"""Signing in to the console: guesses cost time, a cookie's value is never stored, a second factor may follow."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.people import totp
from core.people.staff import check_password_rules
from storage.models import LoginGuess, StaffLogin, StaffMember

# A working day; then the password is asked again.
LOGIN_LASTS = timedelta(hours=10)
IDLE_LASTS = timedelta(hours=2)
_PENDING_LASTS = timedelta(minutes=10)
_SEEN_EVERY = timedelta(minutes=1)
# Free tries before guesses cost time; each further failure doubles the wait, up to the longest.
_FREE_BY_NAME = 4
_FREE_BY_ADDRESS = 20
_FIRST_WAIT_S = 5.0
_LONGEST_WAIT_S = 900.0
_FORGET_AFTER = timedelta(hours=24)


class SignInRefused(ValueError):
    """Not let in; `code` is a key of the console's catalogue, `wait_s` how long tries are refused."""

    def __init__(self, code: str, *, wait_s: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Opened:
    """A new login: the value for the cookie, and whether the second factor is still to come."""

    token: str
    needs_code: bool


def token_hash(token: str) -> str:
    """What is stored of a cookie's value."""
    return hashlib.sha256(token.encode()).hexdigest()


def blocked_for_s(session: Session, *, login: str, address: str, now: datetime) -> int:
    """Seconds until a try from this name or address is looked at again; 0 when it may be tried now."""
    keys = (_key("name", login), _key("address", address))
    until = session.scalars(select(LoginGuess.blocked_until).where(LoginGuess.key.in_(keys))).all()
    return max((int((at - now).total_seconds()) + 1 for at in until if at > now), default=0)


def check_password(session: Session, *, login: str, password: str) -> StaffMember | None:
    """The active account with this password; takes as long for an unknown name as for a wrong password."""
    member = session.scalar(select(StaffMember).where(StaffMember.login == login.strip()))
    usable = member is not None and member.active and member.password_hash is not None
    stored = member.password_hash if member is not None and usable else _decoy()
    try:
        right: bool = PasswordHasher().verify(stored or _decoy(), password)
    except (VerificationError, InvalidHashError):
        right = False
    return member if usable and right else None


@cache
def _decoy() -> str:
    return PasswordHasher().hash(secrets.token_hex(16))


def record_failure(session: Session, *, login: str, address: str, now: datetime) -> None:
    """Count a wrong try against the name and the address."""
    for key, free in ((_key("name", login), _FREE_BY_NAME), (_key("address", address), _FREE_BY_ADDRESS)):
        guess = session.get(LoginGuess, key)
        if guess is None:
            guess = LoginGuess(key=key, failures=0, blocked_until=now)
            session.add(guess)
        elif guess.blocked_until < now - _FORGET_AFTER:
            guess.failures = 0
        guess.failures += 1
        over = guess.failures - free
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(over - 1, 20)) if over > 0 else 0.0
        guess.blocked_until = now + timedelta(seconds=wait_s)
    session.flush()


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value.strip().casefold()}".encode()).hexdigest()


def open_login(session: Session, member: StaffMember, *, now: datetime) -> Opened:
    """Begin a login after the right password; guesses against the name are forgiven.

    Logins that have ended are removed here, so that the table does not grow.
    """
    needs_code = member.totp_secret is not None
    token = secrets.token_urlsafe(32)
    session.execute(delete(StaffLogin).where(StaffLogin.expires_at < now))
    session.execute(delete(LoginGuess).where(LoginGuess.key == _key("name", member.login)))
    session.add(
        StaffLogin(
            token_hash=token_hash(token),
            staff_id=member.id,
            verified=not needs_code,
            created_at=now,
            seen_at=now,
            expires_at=now + (_PENDING_LASTS if needs_code else LOGIN_LASTS),
        )
    )
    session.flush()
    return Opened(token, needs_code)


def confirm_code(session: Session, *, token: str, code: str, now: datetime) -> str:
    """Finish a login with the second factor; returns a new value for the cookie. Raises `SignInRefused`."""
    found = _find(session, token, now=now)
    if found is None:
        raise SignInRefused("expired")
    login, member = found
    step = totp.matching_step(member.totp_secret or "", code, now=now, after=member.totp_step)
    if step is None:
        raise SignInRefused("wrong_code")
    member.totp_step = step
    fresh = secrets.token_urlsafe(32)
    login.token_hash, login.verified, login.expires_at = token_hash(fresh), True, now + LOGIN_LASTS
    login.seen_at = now
    session.flush()
    return fresh


def _find(session: Session, token: str, *, now: datetime) -> tuple[StaffLogin, StaffMember] | None:
    row = session.execute(
        select(StaffLogin, StaffMember)
        .join(StaffMember, StaffMember.id == StaffLogin.staff_id)
        .where(
            StaffLogin.token_hash == token_hash(token),
            StaffLogin.expires_at > now,
            StaffMember.active.is_(True),
        )
    ).first()
    return (row[0], row[1]) if row is not None else None


def pending_login(session: Session, token: str, *, now: datetime) -> str | None:
    """The login name that waits for its second factor; None when there is none."""
    found = _find(session, token, now=now)
    return found[1].login if found is not None and not found[0].verified else None


def signed_in(session: Session, token: str, *, now: datetime) -> tuple[StaffMember, bool] | None:
    """The account behind a cookie, and whether `touch` is due; None when it opens nothing. One query."""
    found = _find(session, token, now=now)
    if found is None:
        return None
    login, member = found
    if not login.verified or login.seen_at < now - IDLE_LASTS:
        return None
    return member, login.seen_at < now - _SEEN_EVERY


def touch(session: Session, token: str, *, now: datetime) -> None:
    """Note that the login is in use."""
    login = session.get(StaffLogin, token_hash(token))
    if login is not None:
        login.seen_at = now


def close(session: Session, token: str) -> None:
    """Log this browser out."""
    session.execute(delete(StaffLogin).where(StaffLogin.token_hash == token_hash(token)))


def close_all(session: Session, staff_id: int, *, except_token: str = "") -> None:
    """Log every browser of an account out."""
    session.execute(
        delete(StaffLogin).where(
            StaffLogin.staff_id == staff_id, StaffLogin.token_hash != token_hash(except_token)
        )
    )


def change_password(session: Session, member: StaffMember, *, new: str, token: str) -> None:
    """Set a password that the person chose; every other browser is logged out. Raises `StaffError`."""
    check_password_rules(new, login=member.login)
    member.password_hash = PasswordHasher().hash(new)
    member.must_change_password = False
    close_all(session, member.id, except_token=token)
    session.flush()

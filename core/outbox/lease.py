"""Exclusive rights held in the database, so that one account has one sender across processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storage.models import Lease


def acquire(session: Session, name: str, *, holder: str, ttl_s: float, now: datetime) -> bool:
    """Take or renew the lease; False while another holder's right has not run out."""
    until = now + timedelta(seconds=ttl_s)
    result = session.execute(
        update(Lease)
        .where(Lease.name == name, or_(Lease.holder == holder, Lease.until < now))
        .values(holder=holder, until=until)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount:
        return True
    if session.get(Lease, name) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Lease(name=name, holder=holder, until=until))
    except IntegrityError:
        return False  # Somebody else made the row in between: they hold it.
    return True


def release(session: Session, name: str, *, holder: str) -> None:
    """Give the right back at once, so that the next holder need not wait for the expiry."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))

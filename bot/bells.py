"""Wake-ups across programs over PostgreSQL's NOTIFY; a bell that nobody heard costs half a second."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from storage.database import Database

_CHANNEL = "nghedan_outbound"


def ring_senders(session: Session) -> None:
    """Tell the senders, when the caller's transaction commits, that something may be due."""
    session.execute(text(f"NOTIFY {_CHANNEL}"))


class SenderBell:
    """Rings the senders of this program whenever another one has written something to send."""

    def __init__(self, database: Database, ring: Callable[[], None]) -> None:
        url = database.engine.url.set(drivername="postgresql")
        self._conninfo = url.render_as_string(hide_password=False)
        self._ring = ring

    async def run(self) -> None:
        """Listen until cancelled; raises `psycopg.Error` when the database is away, to be started again."""
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            self._ring()
            async for _ in connection.notifies():
                self._ring()

"""Erase what may no longer be kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import structlog

from core.clock import utc_now
from core.people import consent, erasure
from storage.database import Database

log = structlog.get_logger("nghedan.retention")

# Younger files may belong to a row that is being written.
_ORPHANS_AFTER = timedelta(hours=1)


class RetentionLoop:
    """Erases what was held before a consent that never came, the identity of people who left, and files
    that belong to nothing any more; once at start, then every ten minutes.
    """

    _EVERY_S = 600.0

    def __init__(self, database: Database, *, hold_hours: int, attachments: Path) -> None:
        self._database = database
        self._hold_hours = hold_hours
        self._attachments = attachments

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            messages, identities, files = await asyncio.to_thread(self.sweep)
            if messages or identities or files:
                log.info("erased", messages=messages, identities=identities, files=files)
            await asyncio.sleep(self._EVERY_S)

    def sweep(self) -> tuple[int, int, int]:
        """One round; returns how many messages, identities and files went."""
        now = utc_now()
        with self._database.write() as session:
            messages = consent.erase_held(session, hold_hours=self._hold_hours, now=now)
        with self._database.write() as session:
            identities = consent.forget_identities(session, hold_hours=self._hold_hours, now=now)
        with self._database.read() as session:
            files = erasure.delete_orphans(session, self._attachments, older_than=now - _ORPHANS_AFTER)
        return messages, identities, files

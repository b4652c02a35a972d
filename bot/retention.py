"""Erase what may no longer be kept."""

from __future__ import annotations

import asyncio

import structlog

from core.clock import utc_now
from core.people import consent
from storage.database import Database

log = structlog.get_logger("nghedan.retention")


class RetentionLoop:
    """Erases what was held before a consent that never came; once at start, then every ten minutes."""

    _EVERY_S = 600.0

    def __init__(self, database: Database, *, hold_hours: int) -> None:
        self._database = database
        self._hold_hours = hold_hours

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            count = await asyncio.to_thread(self._sweep)
            if count:
                log.info("held messages erased", count=count)
            await asyncio.sleep(self._EVERY_S)

    def _sweep(self) -> int:
        with self._database.write() as session:
            return consent.erase_held(session, hold_hours=self._hold_hours, now=utc_now())

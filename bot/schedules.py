"""Starts announcements and reminders when their time comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from core.broadcast import schedule
from core.broadcast.plan import tariffs_of
from core.broadcast.rules import rules_of
from core.clock import utc_now
from core.settings import Settings
from storage.database import Database

log = structlog.get_logger("nghedan.schedules")


class ScheduleLoop:
    """Looks every second: one query over the few announcements that are still to start."""

    _EVERY_S = 1.0

    def __init__(self, database: Database, settings: Settings, *, queued: Callable[[], None]) -> None:
        self._database = database
        self._rules = rules_of(settings)
        self._tariffs = tariffs_of(settings)
        self._queued = queued

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            rows = await asyncio.to_thread(self.sweep)
            if rows:
                log.info("announcements started", rows=rows)
                self._queued()
            await asyncio.sleep(self._EVERY_S)

    def sweep(self) -> int:
        """One round; returns how many rows were written."""
        with self._database.read() as session:
            if not schedule.anything_scheduled(session):
                return 0
        with self._database.write() as session:
            return schedule.start_due(session, rules=self._rules, tariffs=self._tariffs, now=utc_now())

"""Work that one program does for all: it runs where the lease is, and moves when that program dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from core.clock import utc_now
from core.outbox import lease
from storage.database import Database

log = structlog.get_logger("nghedan.leased")

_TTL_S, _RENEW_S = 12.0, 4.0


class Leased:
    """Runs `loops` side by side while this program holds the lease `name`."""

    def __init__(
        self,
        database: Database,
        name: str,
        loops: list[Callable[[], Coroutine[None, None, None]]],
        *,
        holder: str,
    ) -> None:
        self._database = database
        self._name = name
        self._loops = loops
        self._holder = holder

    async def run(self) -> None:
        """Work until cancelled; a loop that fails ends all, for the caller to begin again."""
        try:
            while True:
                if await asyncio.to_thread(self._take):
                    await self._work()
                await asyncio.sleep(_RENEW_S / 2)
        finally:
            await asyncio.to_thread(self._give_back)

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop()) for loop in self._loops]
            # Other programs cannot ring an event here: the lease's row is asked again.
            while await asyncio.to_thread(self._take):  # noqa: ASYNC110
                await asyncio.sleep(_RENEW_S)
            log.error("lease lost", lease=self._name)
            for task in tasks:
                task.cancel()

    def _take(self) -> bool:
        with self._database.write() as session:
            return lease.acquire(session, self._name, holder=self._holder, ttl_s=_TTL_S, now=utc_now())

    def _give_back(self) -> None:
        with self._database.write() as session:
            lease.release(session, self._name, holder=self._holder)

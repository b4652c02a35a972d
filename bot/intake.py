"""What platforms tell us, made durable: many requests that come together share one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from core.clock import utc_now
from core.intake import receive
from core.intake.receive import Stored
from core.outbox.port import Incoming
from storage.database import Database

# One statement's worth; the rest of a burst goes with the next transaction.
_MOST_AT_ONCE = 500
_Request = tuple[list[Incoming], asyncio.Future[None]]


class Intake:
    """Stores events and tells who answers them.

    `announce` runs inside the transaction with the rows that were new, `arrived` after it in the event loop.
    """

    def __init__(
        self,
        database: Database,
        *,
        announce: Callable[[Session, Sequence[Stored]], None] = lambda _session, _stored: None,
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._announce = announce
        self.arrived = arrived
        self._waiting: list[_Request] = []
        self._writer: asyncio.Task[None] | None = None

    async def receive(self, events: list[Incoming]) -> None:
        """Returning means that the events are safe; raises what the database raised, for the platform to repeat."""
        if not events:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        # No waiting for company: what arrives while one transaction is being written goes with the next.
        while self._waiting:
            batch = self._take()
            if not await self._settle(batch) and len(batch) > 1:
                for one in batch:  # One bad request must not refuse the others.
                    await self._settle([one], last=True)

    async def _settle(self, batch: list[_Request], *, last: bool = False) -> bool:
        try:
            await asyncio.to_thread(self._store, [event for events, _ in batch for event in events])
        except Exception as error:  # noqa: BLE001  # Handed to the request that waits.
            if last or len(batch) == 1:
                _end(batch, error)
            return False
        _end(batch, None)
        self.arrived()
        return True

    def _take(self) -> list[_Request]:
        count = size = 0
        for events, _ in self._waiting:
            if count and size + len(events) > _MOST_AT_ONCE:
                break
            count, size = count + 1, size + len(events)
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _store(self, events: list[Incoming]) -> None:
        with self._database.write() as session:
            self.store(session, events)

    def store(self, session: Session, events: list[Incoming]) -> None:
        """Store within the caller's transaction."""
        self._announce(session, receive.store(session, events, now=utc_now()))

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writer is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer


def _end(batch: list[_Request], error: Exception | None) -> None:
    for _, done in batch:
        if done.done():  # The platform hung up; the rows are there all the same.
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

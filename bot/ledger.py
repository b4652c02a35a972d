"""Writes what became of many sends in few transactions; a send counts as done only when its row says so."""

from __future__ import annotations

import asyncio
import contextlib

from core.outbox import queue
from core.outbox.queue import Outcome
from storage.database import Database

# Long enough to gather a transaction's worth at a thousand a second, short enough to go unnoticed by a reply.
_GATHER_S = 0.02


class Ledger:
    """Outcomes of one sender; `write` returns when the outcome is durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Outcome, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, outcome: Outcome) -> None:
        """Gather, write, return; raises what the database raised, and the row stays as it was."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_gathered())
        await done

    async def _write_gathered(self) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER_S)
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._record, [outcome for outcome, _ in batch])
            except Exception as error:  # noqa: BLE001  # Handed to every waiting send, which reports it.
                _settle(batch, error)
            else:
                _settle(batch, None)

    def _record(self, outcomes: list[Outcome]) -> None:
        with self._database.write() as session:
            queue.record_all(session, outcomes)

    async def close(self) -> None:
        """Write what was gathered."""
        if self._writer is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer


def _settle(batch: list[tuple[Outcome, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, done in batch:
        if done.done():  # The sender was cancelled; the row is written all the same.
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

"""Wake-ups inside one process: a loop sleeps until something new is stored, or until its own time comes."""

from __future__ import annotations

import asyncio
import contextlib


class WakeUp:
    """An event that many may ring and one loop waits for; ringing twice before it wakes is once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return when rung or after `timeout_s`: rows are the truth, so a lost ring only costs time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), timeout_s)
        self._event.clear()

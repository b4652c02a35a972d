"""Spread sends evenly under a platform's ceiling, so that no window of a second holds more than allowed."""

from __future__ import annotations

import asyncio

# A little below the published ceiling: our clock and the platform's do not tick together.
_SHARE = 0.95


class Pace:
    """At most `per_second` passes a second, evenly spaced; None means no limit. For one lane, one process."""

    def __init__(self, per_second: float | None) -> None:
        self._gap_s = 0.0 if per_second is None else 1.0 / (per_second * _SHARE)
        self._next = 0.0

    async def wait(self) -> None:
        """Return when the next message may leave."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        start = max(now, self._next)
        self._next = start + self._gap_s
        if start > now:
            await asyncio.sleep(start - now)


class ChatPace:
    """A small burst, then `per_second`, for each conversation by itself; None means no limit.

    Platforms tolerate short bursts to one chat (a reply and its question) without saying how short.
    """

    _BURST = 2
    _REMEMBERED = 10_000

    def __init__(self, per_second: float | None) -> None:
        self._gap_s = 0.0 if per_second is None else 1.0 / per_second
        self._free_at: dict[int, float] = {}

    async def wait(self, contact_id: int) -> None:
        """Return when the next message to this person may leave."""
        if not self._gap_s:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._free_at.get(contact_id, 0.0))
        # `start` is when all earlier messages are paid for; a burst may be that much ahead.
        self._free_at[contact_id] = start + self._gap_s
        if len(self._free_at) > self._REMEMBERED:
            self._free_at = {who: at for who, at in self._free_at.items() if at > now}
        delay_s = start - now - (self._BURST - 1) * self._gap_s
        if delay_s > 0:
            await asyncio.sleep(delay_s)

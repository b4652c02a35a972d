"""Spread sends evenly under a platform's ceiling, so that no window of a second holds more than allowed."""

from __future__ import annotations

import asyncio
from collections import deque

# A little below the published ceiling: our clock and the platform's do not tick together.
# At hundreds a second a late wake-up moves many messages at once, so the distance is larger there.
_SHARE, _MARGIN_S = 0.99, 0.008
_FAST, _FAST_SHARE, _FAST_MARGIN_S = 100, 0.96, 0.04
# A loop that was held up this long catches up; the window behind it still holds.
_CATCH_UP_S = 0.05


class Pace:
    """At most `per_second` passes in any second, evenly spaced; None means no limit. For one lane, one process.

    A pass that came late counts from when it really happened, so that the window behind it is not overfilled.
    """

    def __init__(self, per_second: float | None) -> None:
        whole = int(per_second) if per_second is not None else 0
        share, self._span_s = (
            (_FAST_SHARE, 1.0 + _FAST_MARGIN_S) if whole >= _FAST else (_SHARE, 1.0 + _MARGIN_S)
        )
        self._gap_s = 0.0 if per_second is None else 1.0 / (per_second * share)
        self._passes: deque[float] = deque(maxlen=max(1, whole))
        self._next = 0.0

    async def wait(self) -> None:
        """Return when the next message may leave."""
        if not self._gap_s:
            return
        loop = asyncio.get_running_loop()
        if (delay_s := self._due() - loop.time()) > 0:
            await asyncio.sleep(delay_s)
        now = loop.time()
        self._passes.append(now)
        self._next = max(self._next, now - _CATCH_UP_S) + self._gap_s

    def _due(self) -> float:
        full = len(self._passes) == self._passes.maxlen and self._gap_s < 1.0
        return max(self._next, self._passes[0] + self._span_s) if full else self._next


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

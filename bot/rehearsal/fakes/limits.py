"""Rate limits as the platforms publish them; every call costs O(1) whatever the traffic."""

from __future__ import annotations

from collections import deque


class SlidingWindow:
    """At most `limit` takes in any `span_s` seconds; the strictest reading of "N per span"."""

    def __init__(self, limit: int, span_s: float) -> None:
        self.limit = limit
        self.span_s = span_s
        self._takes: deque[float] = deque(maxlen=limit)

    def wait_s(self, now: float) -> float:
        """Seconds until a take is allowed; 0 when it is allowed at `now` (seconds of any steady origin)."""
        takes = self._takes
        if len(takes) < self.limit:
            return 0.0
        return max(0.0, takes[0] + self.span_s - now)

    def take(self, now: float) -> None:
        """Count one; the caller has checked `wait_s`."""
        self._takes.append(now)

    def left(self, now: float) -> int:
        """How many takes are still allowed at `now`; forgets the old ones (amortised O(1))."""
        takes = self._takes
        while takes and takes[0] + self.span_s <= now:
            takes.popleft()
        return self.limit - len(takes)


class PacePerKey:
    """A steady pace per key with a burst: `burst` at once after a rest, then one per `interval_s`."""

    def __init__(self, interval_s: float, burst: int) -> None:
        self._interval_s = interval_s
        self._tolerance_s = (burst - 1) * interval_s
        self._due: dict[str, float] = {}

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until `key` may go again; 0 when it may at `now`."""
        return max(0.0, self._due.get(key, now) - now - self._tolerance_s)

    def take(self, key: str, now: float) -> None:
        """Count one for `key`; the caller has checked `wait_s`."""
        self._due[key] = max(self._due.get(key, now), now) + self._interval_s

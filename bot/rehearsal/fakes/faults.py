"""Trouble on purpose: which request fails how, decided by seed and request number, or queued by a test.

`FaultPlan.decide` is asked once per request. Scripted outcomes come first, in order; then the mode
speaks: `none` never, `flaky` by fixed rates. The same seed gives the same outcome to the same request
number of the same lane, whatever the timing.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Self


class Lane(IntEnum):
    """Kinds of requests that are numbered, scripted and troubled apart from each other."""

    SEND = 1  # puts a message on a phone
    CALL = 2  # any other API method
    POLL = 3  # getUpdates
    OAUTH = 4  # token requests
    FILE = 5  # media downloads
    WEBHOOK = 6  # what the platform posts to the system under test


class OutcomeKind(StrEnum):
    """What becomes of one troubled request."""

    NORMAL = "normal"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    CUT = "cut"
    GARBAGE = "garbage"
    SLOW = "slow"


class FaultMode(StrEnum):
    """How much trouble there is when nothing is scripted."""

    NONE = "none"
    FLAKY = "flaky"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one request; make one with the class methods.

    `delivered` says whether the platform does what was asked although the caller is not told so.
    """

    kind: OutcomeKind
    delivered: bool = False
    status: int = 502
    code: int = 0
    text: str = ""
    retry_after_s: int = 1
    delay_s: float = 0.0

    @classmethod
    def normal(cls) -> Self:
        """No trouble; to let one request pass in a script."""
        return cls(OutcomeKind.NORMAL, delivered=True)

    @classmethod
    def server_error(cls, status: int = 502, *, delivered: bool = False) -> Self:
        """A 5xx with an HTML body."""
        return cls(OutcomeKind.SERVER_ERROR, delivered=delivered, status=status)

    @classmethod
    def rate_limited(cls, retry_after_s: int = 1) -> Self:
        """The platform's own "too many": 429 with `retry_after`, −32, or the quota answer."""
        return cls(OutcomeKind.RATE_LIMITED, retry_after_s=retry_after_s)

    @classmethod
    def refused(cls, code: int, text: str = "refused", *, delivered: bool = False) -> Self:
        """The platform's error answer with this code (403, −230, −200 …)."""
        return cls(OutcomeKind.REFUSED, delivered=delivered, code=code, text=text)

    @classmethod
    def forbidden(cls) -> Self:
        """The refusal for a person who blocked the bot: Telegram's and Zalo Bot's 403."""
        return cls.refused(403, "Forbidden: bot was blocked by the user")

    @classmethod
    def timeout(cls, *, delivered: bool) -> Self:
        """No answer until the caller gives up."""
        return cls(OutcomeKind.TIMEOUT, delivered=delivered)

    @classmethod
    def cut(cls, *, delivered: bool) -> Self:
        """The connection breaks in the middle of the answer; as ambiguous as a time-out, but quick."""
        return cls(OutcomeKind.CUT, delivered=delivered)

    @classmethod
    def garbage(cls, *, delivered: bool) -> Self:
        """Status 200 with a body that is not JSON."""
        return cls(OutcomeKind.GARBAGE, delivered=delivered)

    @classmethod
    def slow(cls, delay_s: float) -> Self:
        """A good answer that comes `delay_s` seconds late."""
        return cls(OutcomeKind.SLOW, delivered=True, delay_s=delay_s)


@dataclass(frozen=True, slots=True)
class FlakyRates:
    """Shares of requests in trouble in `flaky` mode.

    Half of the `timeout`s deliver. Only sends meet time-outs and "too many"; other lanes meet 5xx
    alone, because a lost answer there would lose what no client can win back (a single-use refresh
    token, an update of a poll without acknowledgement).
    """

    server_error: float = 0.05
    timeout: float = 0.02
    rate_limited: float = 0.01
    webhook_duplicate: float = 0.05
    webhook_late: float = 0.10
    late_s: float = 0.3


@dataclass
class FaultPlan:
    """The trouble of one fake platform; `mode` and `rates` may be changed at any time."""

    mode: FaultMode = FaultMode.NONE
    seed: int = 0
    rates: FlakyRates = field(default_factory=FlakyRates)
    _asked: Counter[Lane] = field(default_factory=Counter, init=False)
    _script: defaultdict[tuple[Lane, str], deque[Outcome]] = field(
        default_factory=lambda: defaultdict(deque), init=False
    )

    def script(self, *outcomes: Outcome, chat_id: str = "", lane: Lane = Lane.SEND) -> None:
        """Queue the fate of the next requests of `lane`; with `chat_id`, of that chat's requests only."""
        self._script[(lane, chat_id)].extend(outcomes)

    def scripted_left(self) -> int:
        """How many queued outcomes no request has met yet."""
        return sum(map(len, self._script.values()))

    def decide(self, lane: Lane, *, chat_id: str = "") -> Outcome | None:
        """The fate of the next request of `lane`; None means no trouble."""
        if self._script and (scripted := self._next_scripted(lane, chat_id)) is not None:
            return scripted
        if self.mode is FaultMode.NONE:
            return None
        number = self._asked[lane]
        self._asked[lane] = number + 1
        return self._flaky(lane, number)

    def _next_scripted(self, lane: Lane, chat_id: str) -> Outcome | None:
        for key in ((lane, chat_id), (lane, "")):
            queue = self._script.get(key)
            if queue:
                outcome = queue.popleft()
                if not queue:
                    del self._script[key]
                return outcome
        return None

    def _flaky(self, lane: Lane, number: int) -> Outcome | None:
        roll = self._chance(lane, number, salt=0)
        rates = self.rates
        if roll < rates.server_error:
            return Outcome.server_error(502 if self._chance(lane, number, salt=1) < 0.5 else 503)
        if lane is not Lane.SEND:
            return None
        roll -= rates.server_error
        if roll < rates.timeout:
            return Outcome.timeout(delivered=roll < rates.timeout / 2)
        if roll - rates.timeout < rates.rate_limited:
            return Outcome.rate_limited()
        return None

    def webhook_trouble(self) -> tuple[float, bool]:
        """For the next update to post: seconds to hold its conversation back, and whether it goes twice."""
        if self.mode is FaultMode.NONE:
            return 0.0, False
        number = self._asked[Lane.WEBHOOK]
        self._asked[Lane.WEBHOOK] = number + 1
        late = self._chance(Lane.WEBHOOK, number, salt=2) < self.rates.webhook_late
        hold_s = self._chance(Lane.WEBHOOK, number, salt=3) * self.rates.late_s if late else 0.0
        return hold_s, self._chance(Lane.WEBHOOK, number, salt=4) < self.rates.webhook_duplicate

    def _chance(self, lane: Lane, number: int, *, salt: int) -> float:
        """A fixed number in [0, 1) for these arguments (splitmix64), cheap enough for each request."""
        mask = 0xFFFFFFFFFFFFFFFF
        z = (self.seed * 0x9E3779B97F4A7C15 + (number * 64 + lane * 8 + salt + 1) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return float((z ^ (z >> 31)) >> 11) / float(1 << 53)

"""What every fake platform does the same way: meeting its fault plan, its latency, and the record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from bot.rehearsal.fakes.asgi import Answer, FakeApp, Fate, file_answer, html_answer
from bot.rehearsal.fakes.faults import FaultPlan, Lane, Outcome, OutcomeKind
from bot.rehearsal.fakes.postman import Postman
from bot.rehearsal.fakes.world import FakePhone, Happening, Platform, World


class Medium(NamedTuple):
    """A file on the platform's servers."""

    content: bytes
    mime_type: str
    name: str
    stored_at: datetime


class FakePlatform(ABC):
    """Control of one fake platform from inside its process; `app` is its HTTP side.

    `base_url` is set by whoever serves `app`; media links need it. `latency_s` is added to every
    answer except long polls. `postman` posts the webhooks. `answering` is False while a request is
    handled whose caller will not learn the result.
    """

    platform: Platform
    app: FakeApp
    postman: Postman

    def __init__(self, world: World, *, faults: FaultPlan | None, latency_s: float) -> None:
        self.world = world
        self.faults = faults or FaultPlan()
        self.latency_s = latency_s
        self.base_url = ""
        self.answering = True
        self.media: dict[str, Medium] = {}

    @property
    @abstractmethod
    def people(self) -> Mapping[str, FakePhone]:
        """Everybody on the platform by the id that the bot knows them by."""

    @abstractmethod
    def add_person(self, name: str) -> FakePhone:
        """Give a new person a phone; they have not met the bot yet."""

    @abstractmethod
    def too_many(self, retry_after_s: int) -> Answer:
        """The platform's answer to a request over its rate."""

    @abstractmethod
    def refusal(self, code: int, text: str) -> Answer:
        """The platform's answer with this error code."""

    @property
    def idle(self) -> bool:
        """True when no update waits for the system under test."""
        return self.postman.idle

    @property
    def post_counts(self) -> dict[str, int]:
        """Webhook requests so far: taken, failed, repeated, duplicated, given_up."""
        return dict(self.postman.counts)

    def retry_now(self) -> None:
        """Repeat what waits for its next webhook attempt at once, for example after a restart."""
        self.postman.nudge()

    async def close(self) -> None:
        """Stop posting; nothing is sent to the system under test afterwards."""
        await self.postman.close()

    def now_s(self) -> float:
        """Seconds since the epoch by the world's clock."""
        return self.world.clock().timestamp()

    def violate(self, what: str, chat_id: str = "") -> None:
        """Record that a request broke a published limit."""
        self.world.record.add(self.platform, Happening.VIOLATION, chat_id=chat_id, what=what)

    def violations(self) -> dict[str, int]:
        """Broken limits so far: which → how often."""
        return self.world.record.violations(self.platform)

    def store(self, content: bytes, *, mime_type: str, name: str) -> str:
        """Keep a file and return its public address (on Telegram its file_id)."""
        key = self.world.hex(24)
        self.media[key] = Medium(content, mime_type, name, self.world.clock())
        return f"{self.base_url}/media/{key}/{name}"

    def download(self, path: str, *, life_s: float) -> Answer:
        """Answer a request for `/media/KEY/NAME`; the address dies after `life_s` seconds."""

        def handle() -> Answer:
            medium = self.media.get(path.split("/")[2])
            if medium is None or (self.world.clock() - medium.stored_at).total_seconds() > life_s:
                return Answer(404, b"", 404)
            return file_answer(medium.content, medium.mime_type)

        return self.exchange(Lane.FILE, "media", chat_id="", handle=handle)

    def exchange(self, lane: Lane, method: str, *, chat_id: str, handle: Callable[[], Answer]) -> Answer:
        """Answer one request through the fault plan and record it.

        `handle` does what the request asks; it runs once at most, and not at all when the fate is an
        answer that comes without the deed.
        """
        outcome = self.faults.decide(lane, chat_id=chat_id)
        if outcome is None:
            answer = handle()
        elif not outcome.delivered:
            answer = self._troubled(outcome)
        else:
            answer = self._troubled_after(outcome, handle)
        if self.latency_s:
            answer.delay_s += self.latency_s
        self.world.record.add(
            self.platform,
            Happening.CALL,
            chat_id=chat_id,
            what=method,
            code=answer.code,
            detail=outcome and outcome.kind.value,
        )
        return answer

    def _troubled_after(self, outcome: Outcome, handle: Callable[[], Answer]) -> Answer:
        if outcome.kind is OutcomeKind.NORMAL:
            return handle()
        if outcome.kind is OutcomeKind.SLOW:
            return replace(handle(), delay_s=outcome.delay_s)
        self.answering = False
        try:
            answer = handle()
        finally:
            self.answering = True
        if outcome.kind in (OutcomeKind.TIMEOUT, OutcomeKind.CUT):
            return replace(answer, fate=_FATES[outcome.kind])
        return self._troubled(outcome)

    def _troubled(self, outcome: Outcome) -> Answer:
        if outcome.kind is OutcomeKind.SERVER_ERROR:
            return html_answer(outcome.status, "Server Error")
        if outcome.kind is OutcomeKind.RATE_LIMITED:
            return self.too_many(outcome.retry_after_s)
        if outcome.kind is OutcomeKind.REFUSED:
            return self.refusal(outcome.code, outcome.text)
        if outcome.kind is OutcomeKind.GARBAGE:
            return Answer(200, b"<!doctype html><p>\xff\xfe")
        return replace(html_answer(504, "Gateway Time-out"), fate=_FATES[outcome.kind])


_FATES = {OutcomeKind.TIMEOUT: Fate.NEVER, OutcomeKind.CUT: Fate.CUT}

"""Posting updates to the system under test: in order per conversation, repeated when they are not taken.

The HTTP client is written here because a load test posts thousands of small requests a minute and a
general client would cost more than the system it measures. It follows no redirects, as the platforms.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bot.rehearsal.fakes.faults import FaultPlan
from bot.rehearsal.fakes.world import Happening, Platform, Record

# Servers commonly drop idle connections after 5 s; a connection this old is not trusted with a request.
_IDLE_LIMIT_S = 2.0
_DUPLICATE_AFTER_S = 0.2


class NoAnswer(OSError):
    """The receiver is down, broke the connection, or did not answer in time."""


class _ClosedUnanswered(EOFError):
    """The connection ended before the first byte of an answer."""


class _Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float


class WebhookClient:
    """A small HTTP/1.1 client with kept connections, for POST only."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, bool], list[_Connection]] = {}

    async def post(self, url: str, body: bytes, *, headers: dict[str, str], timeout_s: float) -> int:
        """Post `body` and return the status; the answer's body is read and dropped. Raises `NoAnswer`."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        key = (parts.hostname or "", parts.port or (443 if secure else 80), secure)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(key, request)
        except TimeoutError:
            raise NoAnswer(f"no answer in {timeout_s} s") from None
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error

    async def _exchange(self, key: tuple[str, int, bool], request: bytes) -> int:
        kept = self._reuse(key)
        if kept is not None:
            try:
                return await self._over(kept, key, request)
            except (ConnectionError, _ClosedUnanswered):
                # The server closed it while it was idle, or went down; a new connection tells.
                pass
        return await self._over(await self._connect(key), key, request)

    async def _over(self, connection: _Connection, key: tuple[str, int, bool], request: bytes) -> int:
        reader, writer, _ = connection
        try:
            writer.write(request)
            await writer.drain()
            status, keep = await _read_answer(reader)
        except BaseException:
            writer.close()
            raise
        if keep:
            kept = _Connection(reader, writer, time.monotonic())
            self._idle.setdefault(key, []).append(kept)
        else:
            writer.close()
        return status

    def _reuse(self, key: tuple[str, int, bool]) -> _Connection | None:
        idle = self._idle.get(key, [])
        while idle:
            connection = idle.pop()
            fresh = time.monotonic() - connection.used_at < _IDLE_LIMIT_S
            if fresh and not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.writer.close()
        return None

    async def _connect(self, key: tuple[str, int, bool]) -> _Connection:
        host, port, secure = key
        reader, writer = await asyncio.open_connection(host, port, ssl=secure or None)
        return _Connection(reader, writer, time.monotonic())

    def close(self) -> None:
        """Close the kept connections."""
        for idle in self._idle.values():
            for connection in idle:
                connection.writer.close()
        self._idle.clear()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of one answer, and whether the connection can be used again."""
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError as error:
            raise _ClosedUnanswered("closed") if not error.partial else error from error
        status = int(head[0].split(" ", 2)[1])
        if status >= 200:
            break
    headers = {name.strip().lower(): value.strip() for name, _, value in (h.partition(":") for h in head[1:])}
    keep = headers.get("connection", "").lower() != "close"
    if status in (204, 304):
        return status, keep
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
        return status, keep
    if "content-length" not in headers:
        return status, False
    await reader.readexactly(int(headers["content-length"]))
    return status, keep


@dataclass(slots=True)
class Parcel:
    """One update to post. Parcels of one `conversation` are posted in the order of `put`."""

    conversation: str
    what: str
    body: bytes
    done: Callable[[bool], None] | None = None  # told once: True when taken, False when given up
    repeated: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class Target(NamedTuple):
    """Where to post now, and with which headers besides the parcel's own."""

    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When a refused or unanswered parcel is posted again.

    `delay_s(n)` is the wait before the n-th repetition (from 1), None to give up. With
    `blocks_conversation` later parcels of the conversation wait for it; otherwise they overtake it.
    Without `on_bad_status` an answer, even a bad one, settles the parcel: then only silence is repeated.
    """

    delay_s: Callable[[int], float | None]
    blocks_conversation: bool
    on_bad_status: bool = True


class Postman:
    """Posts parcels with retries; `targeting` is asked before each attempt and may say None (nowhere)."""

    def __init__(
        self,
        record: Record,
        platform: Platform,
        *,
        targeting: Callable[[Parcel], Target | None],
        rule: RetryRule,
        faults: FaultPlan,
        timeout_s: float,
        parallel: int,
    ) -> None:
        self._record = record
        self._platform = platform
        self._targeting = targeting
        self._rule = rule
        self._faults = faults
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(parallel)
        self._client = WebhookClient()
        self._conversations: dict[str, deque[Parcel]] = {}
        self._unsettled: dict[int, Parcel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._nudge = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self.last_error = ""
        self.last_error_at: datetime | None = None

    def put(self, parcel: Parcel) -> None:
        """Accept a parcel; needs a running loop."""
        self._unsettled[id(parcel)] = parcel
        waiting = self._conversations.get(parcel.conversation)
        if waiting is None:
            self._conversations[parcel.conversation] = deque([parcel])
            self._spawn(self._work_off(parcel.conversation))
        else:
            waiting.append(parcel)

    def nudge(self) -> None:
        """Try waiting repetitions now, for example because the address changed."""
        self._nudge.set()
        self._nudge = asyncio.Event()

    def set_parallel(self, parallel: int) -> None:
        """How many requests may be open at once from now on."""
        self._slots = asyncio.Semaphore(parallel)

    def drop_all(self) -> list[Parcel]:
        """Forget all parcels and return them, oldest first; requests on their way are abandoned."""
        for task in self._tasks:
            task.cancel()
        self._conversations.clear()
        dropped = list(self._unsettled.values())
        self._unsettled.clear()
        return dropped

    @property
    def idle(self) -> bool:
        """True when nothing is waiting, on its way, or to be repeated."""
        return not self._unsettled and not self._tasks

    async def close(self) -> None:
        """Stop posting and close the connections."""
        self.drop_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._client.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_off(self, conversation: str) -> None:
        waiting = self._conversations[conversation]
        while waiting:
            parcel = waiting.popleft()
            hold_s, twice = self._faults.webhook_trouble()
            if hold_s:
                await asyncio.sleep(hold_s)
            settled = await self._attempt(parcel)
            if not settled and self._rule.blocks_conversation:
                await self._repeat(parcel)
            elif not settled:
                self._spawn(self._repeat(parcel))
            elif twice:
                self._spawn(self._duplicate(parcel))
        # A cleared table means that `drop_all` ran and another task may own this name by now.
        if self._conversations.get(conversation) is waiting:
            del self._conversations[conversation]

    async def _repeat(self, parcel: Parcel) -> None:
        settled = False
        while not settled:
            parcel.repeated += 1
            delay_s = self._rule.delay_s(parcel.repeated)
            if delay_s is None:
                self._settle(parcel, taken=False, why="retries used up")
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), delay_s)
            self.counts["repeated"] += 1
            settled = await self._attempt(parcel)

    async def _duplicate(self, parcel: Parcel) -> None:
        await asyncio.sleep(_DUPLICATE_AFTER_S)
        self.counts["duplicated"] += 1
        copy = replace(parcel, done=None, repeated=parcel.repeated + 1)
        await self._attempt(copy)

    async def _attempt(self, parcel: Parcel) -> bool:
        """Post once; True when the parcel needs no repetition."""
        target = self._targeting(parcel)
        if target is None:
            self._settle(parcel, taken=False, why="no webhook")
            return True
        status = 0
        try:
            async with self._slots:
                status = await self._client.post(
                    target.url,
                    parcel.body,
                    headers={**target.headers, **parcel.headers},
                    timeout_s=self._timeout_s,
                )
        except NoAnswer as error:
            self._note_failure(str(error))
        self._record.add(
            self._platform, Happening.WEBHOOK, chat_id=parcel.conversation, what=parcel.what, code=status
        )
        if 200 <= status < 300:
            self._settle(parcel, taken=True)
            return True
        if status:
            self._note_failure(f"Wrong response from the webhook: {status}")
            if not self._rule.on_bad_status:
                self._settle(parcel, taken=False, why=f"answered {status}")
                return True
        return False

    def _note_failure(self, text: str) -> None:
        self.counts["failed"] += 1
        self.last_error = text
        self.last_error_at = self._record.clock()

    def _settle(self, parcel: Parcel, *, taken: bool, why: str = "") -> None:
        self._unsettled.pop(id(parcel), None)
        self.counts["taken" if taken else "given_up"] += 1
        if not taken:
            self._record.add(self._platform, Happening.LOST, chat_id=parcel.conversation, what=why)
        done, parcel.done = parcel.done, None
        if done is not None:
            done(taken)

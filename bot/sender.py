"""The sender of one channel account: claims due rows, sends each once, records what is known."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from bot.pace import ChatPace, Pace
from bot.signals import WakeUp
from core.clock import utc_now
from core.outbox import lease, queue
from core.outbox.port import Channel, NotDelivered, OutcomeUnknown, SendFailure
from core.outbox.queue import Claimed
from storage.database import Database

log = structlog.get_logger("nghedan.sender")

_LEASE_TTL_S = 12.0
_LEASE_RENEW_S = 4.0
_IDLE_S = 0.5
_BATCH = 50
# Failures that are about the account, not about one message: the whole lane waits.
_LANE_STOPS = {
    SendFailure.RATE_LIMITED: 1.0,
    SendFailure.QUOTA_USED: 60.0,
    SendFailure.ACCOUNT_STOPPED: 15.0,
}


class Sender:
    """Sends for one account while it holds the account's lease; `in_flight` messages at a time."""

    def __init__(self, database: Database, channel: Channel, *, holder: str, in_flight: int = 16) -> None:
        self._database = database
        self._channel = channel
        self._holder = holder
        self._lease_name = f"sender:{channel.name}:{channel.account_id}"
        self._slots = asyncio.Semaphore(in_flight)
        self._pace = Pace(channel.capabilities.messages_per_second)
        self._chat_pace = ChatPace(channel.capabilities.messages_per_chat_per_second)
        self._stopped_until = utc_now()
        self._tasks: set[asyncio.Task[None]] = set()
        self.queued = WakeUp()

    async def run(self) -> None:
        """Work until cancelled: wait for the lease, mend what a dead sender left, then send."""
        try:
            while True:
                if not await asyncio.to_thread(self._take_lease):
                    await asyncio.sleep(_LEASE_RENEW_S / 2)
                    continue
                await asyncio.to_thread(self._mend)
                await self._send_while_leased()
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5.0)
            await asyncio.to_thread(self._give_lease_back)

    def _take_lease(self) -> bool:
        with self._database.write() as session:
            return lease.acquire(
                session, self._lease_name, holder=self._holder, ttl_s=_LEASE_TTL_S, now=utc_now()
            )

    def _give_lease_back(self) -> None:
        with self._database.write() as session:
            lease.release(session, self._lease_name, holder=self._holder)

    def _mend(self) -> None:
        with self._database.write() as session:
            count = queue.mark_orphans_unknown(
                session, channel=self._channel.name, account_id=self._channel.account_id, now=utc_now()
            )
        if count:
            log.warning("deliveries with unknown outcome", channel=self._channel.name, count=count)

    async def _send_while_leased(self) -> None:
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + _LEASE_RENEW_S
        while True:
            if loop.time() >= renew_at:
                if not await asyncio.to_thread(self._take_lease):
                    log.error("sender lost its lease", channel=self._channel.name)
                    return
                renew_at = loop.time() + _LEASE_RENEW_S
            wait_s = (self._stopped_until - utc_now()).total_seconds()
            if wait_s > 0:
                await asyncio.sleep(min(wait_s, _LEASE_RENEW_S))
                continue
            claimed = await asyncio.to_thread(self._claim)
            if not claimed:
                await self.queued.wait(_IDLE_S)
                continue
            for item in claimed:
                await self._slots.acquire()
                await self._pace.wait()
                self._start(item)

    def _claim(self) -> list[Claimed]:
        with self._database.write() as session:
            return queue.claim_due(
                session,
                channel=self._channel.name,
                account_id=self._channel.account_id,
                holder=self._holder,
                limit=self._batch(),
                now=utc_now(),
            )

    def _batch(self) -> int:
        # No more than about a second's work is claimed, so that a reply never waits behind claimed bulk.
        rate = self._channel.capabilities.messages_per_second
        return _BATCH if rate is None else max(1, min(_BATCH, int(rate)))

    def _start(self, item: Claimed) -> None:
        task = asyncio.create_task(self._send(item))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        self.queued.ring()
        if not task.cancelled() and task.exception() is not None:
            log.error("send crashed", channel=self._channel.name, exc_info=task.exception())

    async def _send(self, item: Claimed) -> None:
        await self._chat_pace.wait(item.contact_id)
        try:
            external_id = await self._channel.send(item.message)
        except NotDelivered as error:
            self._stop_lane(error)
            await asyncio.to_thread(self._record_failure, item, error)
        except OutcomeUnknown as error:
            await asyncio.to_thread(self._record_unknown, item, str(error))
        else:
            await asyncio.to_thread(self._record_sent, item, external_id)

    def _stop_lane(self, error: NotDelivered) -> None:
        if error.failure in _LANE_STOPS:
            pause_s = error.retry_after_s or _LANE_STOPS[error.failure]
            self._stopped_until = max(self._stopped_until, utc_now() + timedelta(seconds=pause_s))
        level = log.error if error.failure in _OURS else log.info
        level("not delivered", channel=self._channel.name, failure=error.failure, code=error.code)

    def _record_sent(self, item: Claimed, external_id: str) -> None:
        with self._database.write() as session:
            queue.record_sent(session, item, external_id=external_id, now=utc_now())

    def _record_unknown(self, item: Claimed, detail: str) -> None:
        with self._database.write() as session:
            queue.record_unknown(session, item, detail=detail, now=utc_now())

    def _record_failure(self, item: Claimed, error: NotDelivered) -> None:
        with self._database.write() as session:
            queue.record_failure(session, item, error=error, now=utc_now())


_OURS = frozenset({SendFailure.REJECTED, SendFailure.ACCOUNT_STOPPED})

"""The sender of one channel account: claims due rows, sends each once, records what is known."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.ledger import Ledger
from bot.pace import ChatPace, Pace
from bot.signals import WakeUp
from core.broadcast.rules import NO_QUIET, QuietHours
from core.clock import utc_now
from core.outbox import lease, queue
from core.outbox.port import Channel, NotDelivered, OutcomeUnknown, SendFailure
from core.outbox.queue import Claimed, Outcome
from core.outbox.tariff import Tariff
from storage.database import Database

log = structlog.get_logger("nghedan.sender")

_LEASE_TTL_S = 12.0
_LEASE_RENEW_S = 4.0
_IDLE_S = 0.5
_LEAST_IN_FLIGHT, _MOST_IN_FLIGHT = 16, 384
# Share of a second's messages that may be in the air or claimed: what a killed sender leaves unknown.
_IN_FLIGHT_S = 0.35
# Failures that are about the account, not about one message: the whole lane waits.
_LANE_STOPS = {
    SendFailure.RATE_LIMITED: 1.0,
    SendFailure.QUOTA_USED: 60.0,
    SendFailure.ACCOUNT_STOPPED: 15.0,
}


class Sender:
    """Sends for one account while it holds the account's lease; `in_flight` messages at a time."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        *,
        holder: str,
        in_flight: int | None = None,
        tariff: Tariff | None = None,
        quiet: QuietHours = NO_QUIET,
    ) -> None:
        self._database = database
        self._channel = channel
        self._holder = holder
        self._tariff = tariff
        self._quiet = quiet
        self._lease_name = f"sender:{channel.name}:{channel.account_id}"
        rate = channel.capabilities.messages_per_second
        self._in_flight = in_flight or _fitting(rate)
        self._pace = Pace(rate)
        self._ledger = Ledger(database)
        self._chat_pace = ChatPace(channel.capabilities.messages_per_chat_per_second)
        self._stopped_until = utc_now()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unstarted: deque[Claimed] = deque()
        self._freed = WakeUp()
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
            await self._ledger.close()
            await asyncio.to_thread(self._put_back)
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
            elif self._unstarted:
                await self._start_batch()
            elif self._free() < self._least_claim:
                await self._freed.wait(_IDLE_S)
            elif not await self._claim_more():
                await self.queued.wait(_IDLE_S)

    async def _start_batch(self) -> None:
        """Send what is claimed at the pace of the platform, while the next batch is being claimed."""
        batch, self._unstarted = self._unstarted, deque()
        more = asyncio.create_task(self._claim_more()) if self._free(batch) >= self._least_claim else None
        try:
            while batch and self._stopped_until <= utc_now():
                await self._pace.wait()
                self._start(batch.popleft())
        finally:
            self._unstarted.extendleft(reversed(batch))
            if more is not None:
                await more

    async def _claim_more(self) -> bool:
        """Whether anything was due; what was claimed waits in `_unstarted`, replies first."""
        claimed = await asyncio.shield(asyncio.to_thread(self._claim, self._free()))
        self._unstarted.extend(claimed)
        return bool(claimed)

    def _free(self, batch: Sequence[Claimed] = ()) -> int:
        return self._in_flight - len(self._tasks) - len(self._unstarted) - len(batch)

    def _put_back(self) -> None:
        """What was claimed and never started goes out later, by whoever holds the lease then."""
        with self._database.write() as session:
            queue.put_back(session, list(self._unstarted))
        self._unstarted.clear()

    @property
    def _least_claim(self) -> int:
        # A claim costs a transaction; one for every freed slot would cost more than the sending.
        return max(1, self._in_flight // 4)

    def _claim(self, limit: int) -> list[Claimed]:
        now = utc_now()
        with self._database.write() as session:
            return queue.claim_due(
                session,
                channel=self._channel.name,
                account_id=self._channel.account_id,
                holder=self._holder,
                limit=limit,
                now=now,
                tariff=self._tariff,
                bulk=self._quiet.over_at(now) == now,
            )

    def _start(self, item: Claimed) -> None:
        task = asyncio.create_task(self._send(item))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._freed.ring()
        self.queued.ring()
        if not task.cancelled() and task.exception() is not None:
            log.error("send crashed", channel=self._channel.name, exc_info=task.exception())

    async def _send(self, item: Claimed) -> None:
        await self._chat_pace.wait(item.contact_id)
        try:
            external_id = await self._channel.send(item.message)
        except NotDelivered as error:
            self._stop_lane(error)
            await self._ledger.write(Outcome(item, utc_now(), error=error))
        except OutcomeUnknown as error:
            await self._ledger.write(Outcome(item, utc_now(), error=error))
        else:
            await self._ledger.write(Outcome(item, utc_now(), external_id=external_id))

    def _stop_lane(self, error: NotDelivered) -> None:
        if error.failure in _LANE_STOPS:
            pause_s = error.retry_after_s or _LANE_STOPS[error.failure]
            self._stopped_until = max(self._stopped_until, utc_now() + timedelta(seconds=pause_s))
        level = log.error if error.failure in _OURS else log.info
        level("not delivered", channel=self._channel.name, failure=error.failure, code=error.code)


def _fitting(rate: float | None) -> int:
    """Messages in the air at once for a ceiling per second: enough for a slow platform, little to be left unknown."""
    if rate is None:
        return _LEAST_IN_FLIGHT
    return max(min(_LEAST_IN_FLIGHT, int(rate) + 1), min(_MOST_IN_FLIGHT, int(rate * _IN_FLIGHT_S)))


_OURS = frozenset({SendFailure.REJECTED, SendFailure.ACCOUNT_STOPPED})

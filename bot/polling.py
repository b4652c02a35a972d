"""Long polling for channels without a public address; every event is stored before the next poll."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.orm import Session

from bot.intake import Intake
from bot.webhooks import stop_webhook
from core.clock import utc_now
from core.outbox import lease
from core.outbox.port import Channel, Incoming, PollFailed, SendError
from storage.database import Database
from storage.models import ChannelState

log = structlog.get_logger("nghedan.polling")

_TIMEOUT_S = 25.0
_LEASE_TTL_S = 60.0
_STOPPED_S = 60.0
_WEBHOOK_RETRY_S = 5.0


class Poller:
    """Polls one account while it holds the account's polling lease (a second poller is refused anyway)."""

    def __init__(self, database: Database, channel: Channel, *, holder: str, intake: Intake) -> None:
        self._database = database
        self._channel = channel
        self._holder = holder
        self._intake = intake

    async def run(self) -> None:
        """Poll until cancelled."""
        webhook_gone = False
        while True:
            cursor, leased = await asyncio.to_thread(self._begin)
            if not leased:
                await asyncio.sleep(_LEASE_TTL_S / 10)
                continue
            try:
                if not webhook_gone:
                    await stop_webhook(self._channel)
                    webhook_gone = True
                events, cursor = await self._channel.poll(cursor=cursor, timeout_s=_TIMEOUT_S)
            except SendError as error:
                log.warning("webhook not removed", channel=self._channel.name, reason=str(error))
                await asyncio.sleep(_WEBHOOK_RETRY_S)
                continue
            except PollFailed as error:
                level = log.error if error.stop else log.warning
                level("poll failed", channel=self._channel.name, reason=str(error))
                await asyncio.sleep(_STOPPED_S if error.stop else error.retry_after_s)
                continue
            await asyncio.to_thread(self._store, events, cursor)
            if events:
                self._intake.arrived()

    def _begin(self) -> tuple[str | None, bool]:
        with self._database.write() as session:
            leased = lease.acquire(
                session,
                f"poll:{self._channel.name}:{self._channel.account_id}",
                holder=self._holder,
                ttl_s=_LEASE_TTL_S,
                now=utc_now(),
            )
            return self._state(session).cursor, leased

    def _store(self, events: list[Incoming], cursor: str | None) -> None:
        with self._database.write() as session:
            self._intake.store(session, events)
            self._state(session).cursor = cursor

    def _state(self, session: Session) -> ChannelState:
        key = (self._channel.name, self._channel.account_id)
        state = session.get(ChannelState, key)
        if state is None:
            state = ChannelState(channel=key[0], account_id=key[1], facts={})
            session.add(state)
        return state

"""Tells the office's chat when an account is in trouble, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from uuid import uuid4

import structlog

from core.clock import utc_now
from core.outbox import alarms, queue
from core.outbox.port import Channel, ChannelName
from core.people import contacts
from storage.database import Database
from storage.models import OutboundKind

log = structlog.get_logger("nghedan.alarms")


class AlarmLoop:
    """Looks every few seconds; `chat` is `channel:chat id`, empty when there is only the console and the log."""

    _EVERY_S = 5.0

    def __init__(
        self,
        database: Database,
        channels: Mapping[ChannelName, Channel],
        *,
        chat: str,
        queued: Callable[[], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._chat = chat
        self._queued = queued

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if await asyncio.to_thread(self.sweep):
                self._queued()
            await asyncio.sleep(self._EVERY_S)

    def sweep(self) -> int:
        """One round; returns how many messages were written."""
        with self._database.read() as session:
            if not alarms.anything_new(session):
                return 0
        with self._database.write() as session:
            texts = alarms.news(session)
            for text in texts:
                log.warning("alarm", text=text)
            name, _, chat_id = self._chat.partition(":")
            channel = self._channels.get(ChannelName(name)) if name else None
            if channel is None:
                return 0
            now = utc_now()
            contact = contacts.find_or_make(
                session, channel=name, account_id=channel.account_id, external_id=chat_id, now=now
            )
            for text in texts:
                # What was told is marked in this transaction, so no key is needed to say it once.
                key = f"alarm:{uuid4().hex}"
                queue.enqueue(session, contact, kind=OutboundKind.NOTICE, dedupe_key=key, text=text, now=now)
            return len(texts)

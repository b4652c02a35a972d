"""Fetch photos, voice notes and files soon after they arrive: platforms' links die within the hour."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select

from core.outbox.port import Channel, ChannelName, IncomingAttachment, IncomingKind, NotDelivered
from storage.database import Database
from storage.models import Attachment, Contact

log = structlog.get_logger("nghedan.attachments")

_EVERY_S = 2.0
_GIVE_UP_AFTER = 6
_BATCH = 20


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    channel: str
    source: dict[str, Any]


class AttachmentLoop:
    """Downloads pending attachments into the data folder, each under a name that says nothing."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[ChannelName, Channel],
        *,
        folder: Path,
        max_bytes: int,
    ) -> None:
        self._database = database
        self._channels = channels
        self._folder = folder
        self._max_bytes = max_bytes

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            for due in await asyncio.to_thread(self._due):
                await self._fetch(due)
            await asyncio.sleep(_EVERY_S)

    def _due(self) -> list[_Due]:
        with self._database.read() as session:
            rows = session.execute(
                select(Attachment.id, Contact.channel, Attachment.source)
                .join(Contact, Contact.id == Attachment.contact_id)
                .where(Attachment.state == "pending")
                .order_by(Attachment.id)
                .limit(_BATCH)
            )
            return [_Due(*row) for row in rows]

    async def _fetch(self, due: _Due) -> None:
        channel = self._channels.get(ChannelName(due.channel))
        if channel is None:
            await asyncio.to_thread(self._record_failure, due.id)
            return
        source = IncomingAttachment(**{**due.source, "kind": IncomingKind(due.source["kind"])})
        try:
            download = await channel.fetch(source, max_bytes=self._max_bytes)
        except NotDelivered as error:
            log.warning("attachment not fetched", attachment_id=due.id, code=error.code)
            await asyncio.to_thread(self._record_failure, due.id)
            return
        await asyncio.to_thread(self._keep, due.id, download.content, download.mime_type)

    def _keep(self, attachment_id: int, content: bytes, mime_type: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(content).hexdigest()[:16]
        name = f"{attachment_id}-{digest}{mimetypes.guess_extension(mime_type) or '.bin'}"
        partial = self._folder / f".{name}.part"
        partial.write_bytes(content)
        partial.rename(self._folder / name)
        with self._database.write() as session:
            row = session.get(Attachment, attachment_id)
            if row is None:  # Erased meanwhile.
                (self._folder / name).unlink(missing_ok=True)
                return
            row.path, row.mime_type, row.size_bytes, row.state = name, mime_type, len(content), "kept"

    def _record_failure(self, attachment_id: int) -> None:
        with self._database.write() as session:
            row = session.get(Attachment, attachment_id)
            if row is not None:
                row.attempts += 1
                row.state = "lost" if row.attempts >= _GIVE_UP_AFTER else "pending"

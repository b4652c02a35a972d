"""The simulator as a channel: what is sent appears on the page of that person, and nowhere else.

It is mounted only where `settings.simulator` is on. Logs live in this process: it serves one app process,
and a message that no open page has read is gone after a restart.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from bot.simulator.files import FileGone, FileStore, FileTooLarge
from bot.simulator.talks import Author, Talks
from core.clock import utc_now
from core.outbox.port import (
    Capabilities,
    ChannelHealth,
    ChannelName,
    Download,
    Incoming,
    IncomingAttachment,
    NotDelivered,
    Outgoing,
    PollFailed,
    SendFailure,
    WebhookRefused,
)

# The strictest of the real platforms' limits, so that what works here works there.
TEXT_LIMIT = 2_000
MAX_BUTTONS = 9  # one digit each, so every button can also be typed
CHOICE_VALUE_BYTES = 64
# At least 16 letters and digits: the page makes 32 at random, and nobody can guess another's.
PERSON_PATTERN = r"^[A-Za-z0-9_-]{16,64}$"


class SimulatorChannel:
    """Implements `core.outbox.port.Channel`. `folder` keeps uploads over a restart; None: a temporary one."""

    name: ChannelName = ChannelName.SIMULATOR
    account_id: str = "simulator"
    capabilities: Capabilities = Capabilities(
        text_limit=TEXT_LIMIT, max_buttons=MAX_BUTTONS, receipts=False, echoes=False, polling=False
    )

    def __init__(self, *, folder: Path | None = None) -> None:
        self.talks = Talks()
        self.files = FileStore(folder)
        self.closed = False

    async def send(self, message: Outgoing) -> str:
        """Put the message on the person's screen; returns an id that is new at every call.

        Sending one delivery twice shows it twice, as a real phone would. Raises `NotDelivered` for what a
        real platform refuses.
        """
        self._refuse_what_platforms_refuse(message)
        external_id = uuid.uuid4().hex
        self.talks.append(
            message.recipient_id,
            external_id,
            author=Author.BOT,
            kind="text",
            text=message.text,
            at=utc_now(),
            choices=message.choices[:MAX_BUTTONS],
            delivery_id=message.delivery_id,
        )
        return external_id

    def _refuse_what_platforms_refuse(self, message: Outgoing) -> None:
        if not re.fullmatch(PERSON_PATTERN, message.recipient_id):
            raise NotDelivered(SendFailure.RECIPIENT_GONE, "no such phone", code="no_phone")
        if not message.text.strip():
            raise NotDelivered(SendFailure.REJECTED, "empty text", code="empty")
        if len(message.text) > TEXT_LIMIT:
            raise NotDelivered(SendFailure.REJECTED, f"text over {TEXT_LIMIT} characters", code="too_long")
        if any(len(choice.value.encode()) > CHOICE_VALUE_BYTES for choice in message.choices):
            raise NotDelivered(SendFailure.REJECTED, "choice value too long", code="choice_too_long")

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Incoming]:
        """Always refused: the page talks to its own routes."""
        raise WebhookRefused("the simulator has no webhook", authentic=False)

    async def poll(self, *, cursor: str | None, timeout_s: float) -> tuple[list[Incoming], str | None]:
        """Always fails and asks not to be repeated: the page pushes."""
        raise PollFailed("the simulator is not polled", stop=True)

    async def fetch(self, attachment: IncomingAttachment, *, max_bytes: int) -> Download:
        """The uploaded file; raises `NotDelivered` when its day is over or it is larger than `max_bytes`."""
        ref = attachment.file_ref or ""
        try:
            content = await asyncio.to_thread(self.files.read, ref, max_bytes=max_bytes)
        except FileGone as error:
            raise NotDelivered(SendFailure.REJECTED, "file is gone", code="file_gone") from error
        except FileTooLarge as error:
            raise NotDelivered(SendFailure.REJECTED, "file too large", code="file_too_large") from error
        return Download(
            content=content,
            mime_type=attachment.mime_type or "application/octet-stream",
            file_name=attachment.file_name or ref,
        )

    async def check(self) -> ChannelHealth:
        """Always well: there is nobody else to ask."""
        return ChannelHealth(ok=True)

    async def close(self) -> None:
        """End the open streams and remove temporary files."""
        self.closed = True
        self.talks.wake_all()
        await asyncio.to_thread(self.files.close)

"""Telegram Bot API through python-telegram-bot's `Bot`, as a typed client only: our engine does the rest.

Facts: core.telegram.org/bots/api and /bots/faq, read November 2026.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from telegram import (
    Bot,
    ChatMemberUpdated,
    Message,
    Update,
)
from telegram.constants import ChatType
from telegram.error import (
    Conflict,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.channels.lean import LeanClient
from core.outbox.port import (
    Capabilities,
    ChannelHealth,
    ChannelName,
    Download,
    Incoming,
    IncomingAttachment,
    IncomingKind,
    NotDelivered,
    OutcomeUnknown,
    Outgoing,
    PollFailed,
    SendFailure,
    WebhookRefused,
)

log = structlog.get_logger("nghedan.telegram")

_GONE = ("chat not found", "user is deactivated", "bot was blocked", "can't initiate conversation")
_ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]


class TelegramChannel:
    """One bot. Updates come by webhook or by polling; both give the same events."""

    name = ChannelName.TELEGRAM
    capabilities = Capabilities(
        text_limit=4096,
        max_buttons=20,
        receipts=False,
        echoes=False,
        polling=True,
        messages_per_second=30.0,
        messages_per_chat_per_second=1.0,
    )

    def __init__(self, token: str, *, base_url: str, webhook_secret: str, paid_per_second: int = 0) -> None:
        """`paid_per_second` above 0 sends as a paid broadcast at up to that rate; the bot needs the Stars."""
        self.account_id = token.split(":")[0]
        self._paid = paid_per_second > 0
        if self._paid:
            self.capabilities = replace(self.capabilities, messages_per_second=float(paid_per_second))
        # Sending is the one call that is made by the hundred thousand.
        self._lean = LeanClient()
        self._send_url = f"{base_url}/bot{token}/sendMessage"
        self._secret = webhook_secret
        request = HTTPXRequest(
            connection_pool_size=64, connect_timeout=5.0, read_timeout=10.0, pool_timeout=10.0
        )
        polling = HTTPXRequest(connection_pool_size=2, connect_timeout=5.0, read_timeout=10.0)
        self._bot = Bot(
            token,
            base_url=f"{base_url}/bot",
            base_file_url=f"{base_url}/file/bot",
            request=request,
            get_updates_request=polling,
        )
        self._requests = (request, polling)
        self._background: set[asyncio.Task[None]] = set()

    async def send(self, message: Outgoing) -> str:
        """Send one text, choices as an inline keyboard with one button a row."""
        body: dict[str, Any] = {"chat_id": message.recipient_id, "text": message.text}
        if message.choices:
            rows = [[{"text": c.label[:60], "callback_data": c.value}] for c in message.choices]
            body["reply_markup"] = {"inline_keyboard": rows}
        if self._paid:  # Replies too: beside a paid broadcast the free ceiling is always used up.
            body["allow_paid_broadcast"] = True
        status, answer = await self._lean.post(self._send_url, body)
        result = answer.get("result")
        if answer.get("ok") is True and isinstance(result, dict) and "message_id" in result:
            return f"{message.recipient_id}:{result['message_id']}"
        raise _refusal(status, answer)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Incoming]:
        """Check the secret header and translate one update."""
        given = headers.get("x-telegram-bot-api-secret-token", "")
        if not self._secret or not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise WebhookRefused("secret header", authentic=False)
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise WebhookRefused(type(error).__name__, authentic=True) from None
        return [self._read(update)]

    async def poll(self, *, cursor: str | None, timeout_s: float) -> tuple[list[Incoming], str | None]:
        """Long polling; the next call's offset acknowledges what was stored."""
        try:
            updates = await self._bot.get_updates(
                offset=int(cursor) if cursor else None,
                timeout=timedelta(seconds=timeout_s),
                allowed_updates=_ALLOWED,
            )
        except (Conflict, InvalidToken) as error:
            raise PollFailed(type(error).__name__, stop=True) from None
        except RetryAfter as error:
            raise PollFailed("RetryAfter", retry_after_s=_seconds(error)) from None
        except TelegramError as error:
            raise PollFailed(type(error).__name__) from None
        newest = str(max(u.update_id for u in updates) + 1) if updates else cursor
        return [self._read(update) for update in updates], newest

    def _read(self, update: Update) -> Incoming:
        query = update.callback_query
        if query is not None:
            self._answer_callback(query.id)
            return self._event(update, IncomingKind.CHOICE, query.from_user.id, datetime.now(UTC), query.data)
        if update.my_chat_member is not None:
            return self._member(update, update.my_chat_member)
        message = update.message or update.edited_message
        if message is None or message.chat.type != ChatType.PRIVATE or message.from_user is None:
            return self._event(update, IncomingKind.IGNORED, 0, datetime.now(UTC))
        return self._message(update, message)

    def _event(
        self,
        update: Update,
        kind: IncomingKind,
        sender: int,
        at: datetime,
        text: str | None = None,
        *,
        attachments: tuple[IncomingAttachment, ...] = (),
        refers_to: tuple[str, ...] = (),
    ) -> Incoming:
        start = text.split(maxsplit=1)[1] if text and text.startswith("/start ") else None
        return Incoming(
            channel=self.name,
            account_id=self.account_id,
            external_id=str(update.update_id),
            kind=kind,
            sender_id=str(sender),
            occurred_at=at,
            text="/start" if start else text,
            attachments=attachments,
            refers_to=refers_to,
            start_payload=start,
        )

    def _member(self, update: Update, change: ChatMemberUpdated) -> Incoming:
        gone = change.new_chat_member.status in ("kicked", "left")
        kind = IncomingKind.UNFOLLOWED if gone else IncomingKind.FOLLOWED
        return self._event(update, kind, change.from_user.id, change.date)

    def _message(self, update: Update, message: Message) -> Incoming:
        assert message.from_user is not None
        sender, text = message.from_user.id, message.text or message.caption
        reference = (str(message.message_id),)
        if update.edited_message is not None:
            at = message.edit_date or message.date
            return self._event(update, IncomingKind.EDITED_TEXT, sender, at, text, refers_to=reference)
        attachment = _attachment(message)
        kind = IncomingKind.TEXT if message.text is not None else IncomingKind.UNSUPPORTED
        if message.sticker is not None:
            kind = IncomingKind.STICKER
        elif message.contact is not None:
            kind = IncomingKind.CONTACT
        elif attachment is not None:
            kind = attachment.kind
        return self._event(
            update,
            kind,
            sender,
            message.date,
            text,
            attachments=(attachment,) if attachment else (),
            refers_to=reference,
        )

    def _answer_callback(self, query_id: str) -> None:
        """Stop the spinner on the phone; a late answer is refused by Telegram and does not matter."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        task = loop.create_task(self._answer_quietly(query_id))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _answer_quietly(self, query_id: str) -> None:
        try:
            await self._bot.answer_callback_query(query_id)
        except TelegramError as error:
            log.info("callback not answered", reason=type(error).__name__)

    async def fetch(self, attachment: IncomingAttachment, *, max_bytes: int) -> Download:
        """Ask for the file's path, then download it."""
        if attachment.file_ref is None:
            raise NotDelivered(SendFailure.REJECTED, "no file", code="no_file")
        if (attachment.size_bytes or 0) > max_bytes:
            raise NotDelivered(SendFailure.REJECTED, "file too large", code="too_large")
        try:
            file = await self._bot.get_file(attachment.file_ref)
            content = await file.download_as_bytearray()
        except TelegramError as error:
            raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="file") from None
        if len(content) > max_bytes:
            raise NotDelivered(SendFailure.REJECTED, "file too large", code="too_large")
        mime_type = attachment.mime_type or ("image/jpeg" if attachment.kind is IncomingKind.PHOTO else "")
        return Download(
            bytes(content), mime_type or "application/octet-stream", attachment.file_name or "tep"
        )

    async def check(self) -> ChannelHealth:
        """getMe, and whether the webhook has errors."""
        try:
            me = await self._bot.get_me()
            info = await self._bot.get_webhook_info()
        except InvalidToken:
            return ChannelHealth(False, "token_invalid")
        except TelegramError as error:
            return ChannelHealth(False, "unreachable", type(error).__name__)
        facts = {"bot": f"@{me.username}", "webhook": "có" if info.url else "không (long polling)"}
        return ChannelHealth(True, facts=facts)

    async def register_webhook(self, url: str) -> None:
        """Have updates sent to `url`; they then no longer come by polling."""
        try:
            await self._bot.set_webhook(url, secret_token=self._secret, allowed_updates=_ALLOWED)
        except TelegramError as error:
            raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="webhook") from None

    async def remove_webhook(self) -> None:
        """Go back to polling."""
        try:
            await self._bot.delete_webhook()
        except TelegramError as error:
            raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="webhook") from None

    async def close(self) -> None:
        """Release connections."""
        await self._lean.close()
        for request in self._requests:
            await request.shutdown()


def _attachment(message: Message) -> IncomingAttachment | None:
    if message.photo:
        photo = message.photo[-1]
        return IncomingAttachment(IncomingKind.PHOTO, photo.file_id, size_bytes=photo.file_size)
    if message.location is not None:
        return IncomingAttachment(
            IncomingKind.LOCATION,
            latitude=message.location.latitude,
            longitude=message.location.longitude,
        )
    for kind, media in (
        (IncomingKind.VOICE, message.voice or message.audio),
        (IncomingKind.VIDEO, message.video or message.video_note),
        (IncomingKind.FILE, message.document),
    ):
        if media is not None:
            return IncomingAttachment(
                kind,
                media.file_id,
                file_name=getattr(media, "file_name", None),
                mime_type=getattr(media, "mime_type", None),
                size_bytes=media.file_size,
            )
    return None


def _refusal(status: int, answer: Mapping[str, Any]) -> NotDelivered | OutcomeUnknown:
    """What the Bot API's `error_code`, `description` and `parameters` say of one message."""
    code, text = answer.get("error_code", status), str(answer.get("description", ""))
    parameters = answer.get("parameters")
    if code == 429:
        wait_s = parameters.get("retry_after") if isinstance(parameters, dict) else None
        return NotDelivered(
            SendFailure.RATE_LIMITED, "flood", code="429", retry_after_s=float(wait_s) if wait_s else None
        )
    if code == 403 or (code == 400 and any(gone in text.lower() for gone in _GONE)):
        return NotDelivered(SendFailure.RECIPIENT_GONE, "recipient gone", code="403")
    if code in (401, 404):
        return NotDelivered(SendFailure.ACCOUNT_STOPPED, "token refused", code="401")
    if code == 400:
        return NotDelivered(SendFailure.REJECTED, text[:200], code="400")
    return OutcomeUnknown(f"status {status}", code="server")


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)

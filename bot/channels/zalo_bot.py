"""Zalo Bot Platform: a small Telegram-like API without buttons, receipts or acknowledgement of polls.

Facts: docs.zaloplatforms.com/docs/BOT, read through notes of August to October 2026.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from bot.channels import http
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

# `error_code` in the body; an HTTP 200 can carry one.
_FAILURES = {
    400: SendFailure.REJECTED,
    401: SendFailure.ACCOUNT_STOPPED,
    403: SendFailure.RECIPIENT_GONE,
    404: SendFailure.REJECTED,
    429: SendFailure.QUOTA_USED,
}
_QUOTA_PAUSE_S = 900.0


class ZaloBotChannel:
    """One bot of the platform."""

    name = ChannelName.ZALO_BOT

    def __init__(self, token: str, *, base_url: str, webhook_secret: str, monthly_quota: int = 3000) -> None:
        self.account_id = token.split(":")[0]
        self.capabilities = Capabilities(
            text_limit=2000,
            max_buttons=0,
            receipts=False,
            echoes=False,
            polling=True,
            monthly_quota=monthly_quota,
        )
        self._secret = webhook_secret
        self._url = f"{base_url}/bot{token}"
        self._loopback = http.is_loopback(base_url)
        self._client = httpx.AsyncClient(timeout=http.TIMEOUT)

    async def send(self, message: Outgoing) -> str:
        """Send one plain text."""
        result = await self._call("sendMessage", {"chat_id": message.recipient_id, "text": message.text})
        if not isinstance(result, dict):
            raise OutcomeUnknown("answer without message", code="garbage")
        return str(result.get("message_id", ""))

    async def _call(self, method: str, body: dict[str, Any]) -> Any:
        _, answer = await http.post_json(self._client, f"{self._url}/{method}", headers={}, body=body)
        if answer.get("ok") is True:
            return answer.get("result")
        code = answer.get("error_code")
        if not isinstance(code, int) or code >= 500:
            raise OutcomeUnknown("refused without a known code", code=str(code))
        failure = _FAILURES.get(code, SendFailure.REJECTED)
        pause_s = _QUOTA_PAUSE_S if failure is SendFailure.QUOTA_USED else None
        raise NotDelivered(
            failure, str(answer.get("description", ""))[:200], code=str(code), retry_after_s=pause_s
        )

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Incoming]:
        """Check the secret header and translate; the body may be wrapped in `result` or bare."""
        given = headers.get("x-bot-api-secret-token", "")
        if not self._secret or not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise WebhookRefused("secret header", authentic=False)
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            raise WebhookRefused("not JSON", authentic=True) from None
        if isinstance(update, dict) and isinstance(update.get("result"), dict):
            update = update["result"]
        return [self._read(update)]

    def _read(self, update: Any) -> Incoming:
        try:
            message = update["message"]
            if message["chat"].get("chat_type", "PRIVATE") != "PRIVATE":
                return self._event(str(message["message_id"]), IncomingKind.IGNORED, "", datetime.now(UTC))
            at = datetime.fromtimestamp(int(message["date"]) / 1000, UTC)
            kind, attachment = _content(str(update["event_name"]), message)
            text = message.get("text") if kind is IncomingKind.TEXT else message.get("caption")
            return self._event(
                str(message["message_id"]),
                kind,
                str(message["chat"]["id"]),
                at,
                text=text if isinstance(text, str) else None,
                attachments=(attachment,) if attachment else (),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            raise WebhookRefused("unknown shape", authentic=True) from None

    def _event(
        self,
        external_id: str,
        kind: IncomingKind,
        sender: str,
        at: datetime,
        *,
        text: str | None = None,
        attachments: tuple[IncomingAttachment, ...] = (),
    ) -> Incoming:
        return Incoming(
            channel=self.name,
            account_id=self.account_id,
            external_id=external_id[:160],
            kind=kind,
            sender_id=sender[:120],
            occurred_at=at,
            text=text,
            attachments=attachments,
        )

    async def poll(self, *, cursor: str | None, timeout_s: float) -> tuple[list[Incoming], str | None]:
        """One update a call, handed out once; 408 says that nothing was waiting."""
        timeout = httpx.Timeout(timeout_s + 10.0, connect=5.0)
        try:
            response = await self._client.post(
                f"{self._url}/getUpdates", json={"timeout": int(timeout_s)}, timeout=timeout
            )
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PollFailed(type(error).__name__) from None
        if not isinstance(answer, dict):
            raise PollFailed("garbage")
        if answer.get("ok") is True and isinstance(answer.get("result"), dict):
            try:
                return [self._read(answer["result"])], None
            except WebhookRefused as error:
                raise PollFailed(str(error)) from None
        code = answer.get("error_code", response.status_code)
        if code == 408 or answer.get("ok") is True:
            return [], None
        raise PollFailed(f"code {code}", stop=code in (401, 403, 404))

    async def fetch(self, attachment: IncomingAttachment, *, max_bytes: int) -> Download:
        """Download from the link in the update."""
        if not attachment.url:
            raise NotDelivered(SendFailure.REJECTED, "no link", code="no_file")
        return await http.download(
            self._client, attachment.url, max_bytes=max_bytes, loopback_ok=self._loopback
        )

    async def check(self) -> ChannelHealth:
        """getMe."""
        try:
            me = await self._call("getMe", {})
        except NotDelivered as error:
            problem = (
                "token_invalid" if error.failure is SendFailure.ACCOUNT_STOPPED or error.code == "404" else ""
            )
            return ChannelHealth(False, problem or "unreachable", str(error))
        except OutcomeUnknown as error:
            return ChannelHealth(False, "unreachable", str(error))
        return ChannelHealth(True, facts={"bot": str((me or {}).get("account_name", ""))})

    async def register_webhook(self, url: str) -> None:
        """Have updates sent to `url`."""
        await self._call("setWebhook", {"url": url, "secret_token": self._secret})

    async def remove_webhook(self) -> None:
        """Go back to polling."""
        await self._call("deleteWebhook", {})

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()


def _content(event: str, message: dict[str, Any]) -> tuple[IncomingKind, IncomingAttachment | None]:
    match event:
        case "message.text.received":
            return IncomingKind.TEXT, None
        case "message.image.received":
            url = message.get("photo_url") or message.get("photo")
            return IncomingKind.PHOTO, IncomingAttachment(IncomingKind.PHOTO, url=str(url) if url else None)
        case "message.voice.received":
            url = message.get("voice_url")
            return IncomingKind.VOICE, IncomingAttachment(IncomingKind.VOICE, url=str(url) if url else None)
        case "message.sticker.received":
            return IncomingKind.STICKER, None
        case _:
            return IncomingKind.UNSUPPORTED, None

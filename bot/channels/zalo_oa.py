"""Zalo Official Account, OpenAPI v3: texts to people who wrote to us, signed webhooks, echoes and receipts.

Source: docs.zaloplatforms.com/docs/OA, read through notes of July to October 2026.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import httpx

from bot.channels import http
from bot.channels.zalo_oa_codes import TOKEN_CODES, WRONG_OA_TYPE, error_for
from bot.channels.zalo_oa_events import read_event
from bot.channels.zalo_oa_tokens import ZaloOATokens
from core.outbox.port import (
    Capabilities,
    ChannelHealth,
    ChannelName,
    Download,
    Incoming,
    IncomingAttachment,
    NotDelivered,
    OutcomeUnknown,
    Outgoing,
    PollFailed,
    SendFailure,
    TokenStore,
    WebhookRefused,
)

_SEND_V3 = "/v3.0/oa/message/cs"
_SEND_TEMPLATE = "/v3.0/oa/message/template"
_SEND_V2 = "/v2.0/oa/message"  # some state-agency OAs are refused on v3 with -235 and served here
_PATH_FACT = "send_path"
_HOUR_S = 3600


class ZaloOAChannel:
    """One OA. Choices are numbered text: whether buttons work on v3 is unsettled."""

    name = ChannelName.ZALO_OA

    def __init__(
        self,
        *,
        app_id: str,
        app_secret: str,
        oa_secret_key: str,
        oa_id: str,
        base_url: str,
        oauth_base_url: str,
        store: TokenStore,
        first_refresh_token: str,
        messages_per_minute: int,
        template_id: str = "",
    ) -> None:
        self.account_id = oa_id
        self.capabilities = Capabilities(
            text_limit=2000,
            max_buttons=0,
            receipts=True,
            echoes=True,
            polling=False,
            free_window_s=48 * _HOUR_S,
            paid_window_s=7 * 24 * _HOUR_S,
            messages_per_second=messages_per_minute / 60,
        )
        self._app_id = app_id
        self._secret_key = oa_secret_key
        self._base_url = base_url
        self._loopback = http.is_loopback(base_url)
        self._client = httpx.AsyncClient(timeout=http.TIMEOUT)
        self._store = store
        self._send_path: str | None = None
        self._template_id = template_id
        self.tokens = ZaloOATokens(
            self._client,
            store,
            oauth_base_url=oauth_base_url,
            app_id=app_id,
            app_secret=app_secret,
            first_refresh_token=first_refresh_token,
        )

    async def send(self, message: Outgoing) -> str:
        """Send one text or template. A refused token is refreshed once; only -235 tries the other endpoint."""
        if message.template_data is not None:
            answer = await self._send_template(message.recipient_id, message.template_data)
        else:
            body = {"recipient": {"user_id": message.recipient_id}, "message": {"text": message.text}}
            answer = await self._consult(body)
        _raise_for(answer)
        data = answer.get("data")
        if not isinstance(data, dict) or not data.get("message_id"):
            raise OutcomeUnknown("answer without message id", code="garbage")
        return str(data["message_id"])

    async def _consult(self, body: dict[str, Any]) -> dict[str, Any]:
        if self._send_path is None:
            self._send_path = await self._store.recall(_PATH_FACT) or _SEND_V3
        answer = await self._with_token("POST", self._send_path, body)
        if answer.get("error") == WRONG_OA_TYPE and self._send_path == _SEND_V3:
            answer = await self._with_token("POST", _SEND_V2, body)
            if answer.get("error") == 0:
                # Probed once for the OA: every program and every start after this one knows.
                self._send_path = _SEND_V2
                await self._store.remember(_PATH_FACT, _SEND_V2)
        return answer

    async def _send_template(self, user_id: str, data: Mapping[str, str]) -> dict[str, Any]:
        if not self._template_id:
            raise NotDelivered(SendFailure.REJECTED, "no template is configured", code="no_template")
        body = {"user_id": user_id, "template_id": self._template_id, "template_data": dict(data)}
        return await self._with_token("POST", _SEND_TEMPLATE, body)

    async def _with_token(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        token = await self.tokens.access_token()
        answer = await self._call(method, path, body, token=token)
        if answer.get("error") in TOKEN_CODES:
            token = await self.tokens.refresh(refused=token)
            answer = await self._call(method, path, body, token=token)
        return answer

    async def _call(self, method: str, path: str, body: dict[str, Any], *, token: str) -> dict[str, Any]:
        headers = {"access_token": token}
        if method == "POST":
            _, answer = await http.post_json(self._client, self._base_url + path, headers=headers, body=body)
            return answer
        try:
            response = await self._client.get(self._base_url + path, headers=headers)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="no_connection") from None
        return answer if isinstance(answer, dict) else {}

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Incoming]:
        """Check the signature over the raw body and translate one event."""
        event: Any = None
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            event = None
        stamp = headers.get("x-zevent-timestamp") or (
            str(event.get("timestamp", "")) if isinstance(event, dict) else ""
        )
        body_stamp = str(event.get("timestamp", "")) if isinstance(event, dict) else ""
        given = headers.get("x-zevent-signature", "").removeprefix("mac=").strip().lower()
        if not any(self._signed(given, body, t) for t in dict.fromkeys((stamp, body_stamp))):
            raise WebhookRefused("signature", authentic=False)
        if not isinstance(event, dict):
            raise WebhookRefused("not a JSON object", authentic=True)
        return [read_event(event, account_id=self.account_id)]

    def _signed(self, given: str, body: bytes, stamp: str) -> bool:
        if not self._secret_key or not given:
            return False
        material = self._app_id.encode() + body + stamp.encode() + self._secret_key.encode()
        return hmac.compare_digest(hashlib.sha256(material).hexdigest().encode(), given.encode())

    async def poll(self, *, cursor: str | None, timeout_s: float) -> tuple[list[Incoming], str | None]:
        """The platform has no polling."""
        raise PollFailed("Zalo OA has webhooks only", stop=True)

    async def fetch(self, attachment: IncomingAttachment, *, max_bytes: int) -> Download:
        """Download from the link in the event; such links die within the hour."""
        if not attachment.url:
            raise NotDelivered(SendFailure.REJECTED, "no link", code="no_file")
        return await http.download(
            self._client, attachment.url, max_bytes=max_bytes, loopback_ok=self._loopback
        )

    async def check(self) -> ChannelHealth:
        """getoa: who we are, and whether the OA is a verified state agency."""
        if not self._secret_key:
            return ChannelHealth(False, "secret_missing")
        try:
            answer = await self._with_token("GET", "/v2.0/oa/getoa", {})
        except NotDelivered as error:
            problem = "refresh_used" if error.code == "refresh_used" else "unreachable"
            return ChannelHealth(False, problem, str(error))
        except OutcomeUnknown as error:
            return ChannelHealth(False, "unreachable", str(error))
        if answer.get("error", 0) != 0:
            return ChannelHealth(False, "token_invalid", str(answer.get("error")))
        data = answer.get("data")
        name = data.get("name", "") if isinstance(data, dict) else ""
        return ChannelHealth(True, facts={"OA": str(name)})

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()


def _raise_for(answer: dict[str, Any]) -> None:
    code = answer.get("error")
    if code == 0:
        return
    if not isinstance(code, int):
        raise OutcomeUnknown("answer without error code", code="garbage")
    raise error_for(code, str(answer.get("message", "")))

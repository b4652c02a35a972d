"""A lean client for the one call that bulk sending makes: POST a JSON object, read one, over kept connections.

Measured against the same fake: python-telegram-bot's default client spends about 8 ms of processor time on a message,
this one well under 1 ms.
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from core.outbox.port import NotDelivered, OutcomeUnknown, SendFailure

_TIMEOUT = aiohttp.ClientTimeout(total=15.0, sock_connect=5.0)
_CONNECTIONS = 512
# Errors after which the request certainly did not reach the platform.
_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class LeanClient:
    """Connections open with the first call, in the running loop; `close` ends them."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """POST once; returns the status and the JSON object.

        Raises `NotDelivered(TEMPORARY)` when the request never left, and `OutcomeUnknown` when it left but no
        readable answer came back. Exceptions carry no URL, because a bot token may be part of it.
        """
        try:
            async with self._opened().post(
                url, data=json.dumps(body).encode(), headers={"content-type": "application/json"}
            ) as response:
                status, raw = response.status, await response.read()
        except _NEVER_LEFT as error:
            raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="no_connection") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutcomeUnknown(type(error).__name__, code="no_answer") from None
        if status >= 500:
            raise OutcomeUnknown(f"status {status}", code=str(status))
        try:
            answer = json.loads(raw)
        except ValueError:
            raise OutcomeUnknown("answer is not JSON", code="garbage") from None
        if not isinstance(answer, dict):
            raise OutcomeUnknown("answer is not an object", code="garbage")
        return status, answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=60.0)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

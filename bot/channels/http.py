"""What the two Zalo clients share: one careful HTTP call, and downloads with a limit."""

from __future__ import annotations

import ipaddress
import mimetypes
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.outbox.port import Download, NotDelivered, OutcomeUnknown, SendFailure

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
# Errors after which the request certainly did not reach the platform.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


async def post_json(
    client: httpx.AsyncClient, url: str, *, headers: dict[str, str], body: dict[str, Any]
) -> tuple[httpx.Response, dict[str, Any]]:
    """POST once and read a JSON object.

    Raises `NotDelivered(TEMPORARY)` when the request never left, and `OutcomeUnknown` when it left but
    no readable answer came back: neither platform has an idempotency key, so it must not be repeated.
    Exceptions carry no URL, because a bot token may be part of it.
    """
    try:
        response = await client.post(url, headers=headers, json=body)
    except _NEVER_LEFT as error:
        raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="no_connection") from None
    except httpx.HTTPError as error:
        raise OutcomeUnknown(type(error).__name__, code="no_answer") from None
    if response.status_code >= 500:
        raise OutcomeUnknown(f"status {response.status_code}", code=str(response.status_code))
    try:
        answer = response.json()
    except ValueError:
        raise OutcomeUnknown("answer is not JSON", code="garbage") from None
    if not isinstance(answer, dict):
        raise OutcomeUnknown("answer is not an object", code="garbage")
    return response, answer


async def download(client: httpx.AsyncClient, url: str, *, max_bytes: int, loopback_ok: bool) -> Download:
    """Fetch a file that a webhook named, at most `max_bytes`, without following redirects.

    The link comes from outside, so addresses inside our own network are refused (`loopback_ok` is for
    rehearsals, where the platform itself is on this machine).
    """
    _refuse_inside(url, loopback_ok=loopback_ok)
    try:
        async with client.stream("GET", url, follow_redirects=False) as response:
            if response.status_code != 200:
                raise NotDelivered(SendFailure.REJECTED, "file not given", code=str(response.status_code))
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > max_bytes:
                    raise NotDelivered(SendFailure.REJECTED, "file too large", code="too_large")
            mime_type = response.headers.get("content-type", "application/octet-stream").split(";")[0]
    except httpx.HTTPError as error:
        raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="no_connection") from None
    suffix = mimetypes.guess_extension(mime_type) or ""
    return Download(bytes(content), mime_type, f"tep{suffix}")


def _refuse_inside(url: str, *, loopback_ok: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotDelivered(SendFailure.REJECTED, "not a web address", code="bad_link")
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        address = None
    inside = parts.hostname == "localhost" or (address is not None and not address.is_global)
    if inside and not loopback_ok:
        raise NotDelivered(SendFailure.REJECTED, "address inside our network", code="bad_link")


def is_loopback(url: str) -> bool:
    """Whether a platform's base URL is on this machine: a rehearsal."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.")

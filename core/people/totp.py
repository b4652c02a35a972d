"""The second factor: time-based one-time codes as authenticator apps make them (RFC 6238, SHA-1, 30 s, 6 digits)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

STEP_S = 30
_DIGITS = 6
# One step to either side: clocks of phones drift, and people type slowly.
_DRIFT = (0, -1, 1)


def new_secret() -> str:
    """A new base32 secret of 160 bits."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of one time step."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def step_of(now: datetime) -> int:
    """The time step that an instant lies in."""
    return int(now.timestamp()) // STEP_S


def matching_step(secret: str, code: str, *, now: datetime, after: int | None) -> int | None:
    """The step whose code this is, later than `after` so that no code works twice; None when it is wrong."""
    typed = "".join(code.split())
    if not typed.isascii() or len(typed) != _DIGITS:
        return None
    for drift in _DRIFT:
        step = step_of(now) + drift
        if hmac.compare_digest(code_at(secret, step), typed) and (after is None or step > after):
            return step
    return None


def address(secret: str, *, login: str, issuer: str) -> str:
    """The `otpauth:` address that an app reads from a QR code or a link."""
    label = quote(f"{issuer}:{login}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}&digits={_DIGITS}&period={STEP_S}"

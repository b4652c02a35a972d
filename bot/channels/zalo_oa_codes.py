"""Error codes of Zalo OA and what they mean for us; they come inside HTTP 200.

Source: docs.zaloplatforms.com/docs/OA/phu-luc/ma-loi, read through notes of July to October 2026.
"""

from __future__ import annotations

from core.outbox.port import NotDelivered, OutcomeUnknown, SendFailure

TOKEN_CODES = frozenset({-216, -220, -124})
WRONG_OA_TYPE = -235
_RATE = -32
_AMBIGUOUS = frozenset({-200})

_FAILURES = {
    _RATE: SendFailure.RATE_LIMITED,
    -204: SendFailure.ACCOUNT_STOPPED,
    -205: SendFailure.ACCOUNT_STOPPED,
    -209: SendFailure.ACCOUNT_STOPPED,
    -211: SendFailure.QUOTA_USED,
    -212: SendFailure.ACCOUNT_STOPPED,
    -213: SendFailure.RECIPIENT_GONE,
    -216: SendFailure.ACCOUNT_STOPPED,
    -217: SendFailure.RECIPIENT_GONE,
    -218: SendFailure.WINDOW_CLOSED,
    -219: SendFailure.ACCOUNT_STOPPED,
    -220: SendFailure.ACCOUNT_STOPPED,
    -221: SendFailure.ACCOUNT_STOPPED,
    -223: SendFailure.ACCOUNT_STOPPED,
    -224: SendFailure.ACCOUNT_STOPPED,
    -227: SendFailure.RECIPIENT_GONE,
    -230: SendFailure.WINDOW_CLOSED,
    -232: SendFailure.WINDOW_CLOSED,
    -234: SendFailure.TEMPORARY,
    -244: SendFailure.RECIPIENT_GONE,
    -320: SendFailure.ACCOUNT_STOPPED,
    -321: SendFailure.ACCOUNT_STOPPED,
}
_NIGHT = -234
_NIGHT_WAIT_S = 3600.0
_PAUSES_S = {SendFailure.RATE_LIMITED: 5.0, SendFailure.QUOTA_USED: 900.0, SendFailure.ACCOUNT_STOPPED: 60.0}


def error_for(code: int, message: str) -> NotDelivered | OutcomeUnknown:
    """The error that the engine understands. `-200` says "send failed" without saying whether it went out."""
    if code in _AMBIGUOUS:
        return OutcomeUnknown(message[:200], code=str(code))
    failure = _FAILURES.get(code, SendFailure.REJECTED)
    wait_s = _NIGHT_WAIT_S if code == _NIGHT else _PAUSES_S.get(failure)
    return NotDelivered(failure, message[:200], code=str(code), retry_after_s=wait_s)

"""Webhook events of Zalo OA as our events. Ids and timestamps are strings; unknown events are ignored.

Source: docs.zaloplatforms.com/docs/OA/webhook, read through notes of August to October 2026.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from core.outbox.port import ChannelName, Incoming, IncomingAttachment, IncomingKind, WebhookRefused

_MESSAGES = {
    "user_send_text": IncomingKind.TEXT,
    "user_send_image": IncomingKind.PHOTO,
    "user_send_gif": IncomingKind.PHOTO,
    "user_send_audio": IncomingKind.VOICE,
    "user_send_video": IncomingKind.VIDEO,
    "user_send_file": IncomingKind.FILE,
    "user_send_location": IncomingKind.LOCATION,
    "user_send_sticker": IncomingKind.STICKER,
    "user_send_link": IncomingKind.TEXT,
    "user_send_business_card": IncomingKind.CONTACT,
}
_WITH_FILE = frozenset({IncomingKind.PHOTO, IncomingKind.VOICE, IncomingKind.VIDEO, IncomingKind.FILE})


def read_event(event: dict[str, Any], *, account_id: str) -> Incoming:
    """Translate one authentic event; raises `WebhookRefused` when its shape is not readable."""
    name = str(event.get("event_name", ""))
    try:
        at = datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC)
        if name in _MESSAGES:
            return _message(event, _MESSAGES[name], account_id, at)
        if name in ("follow", "unfollow"):
            kind = IncomingKind.FOLLOWED if name == "follow" else IncomingKind.UNFOLLOWED
            return _event(event, kind, account_id, str(event["follower"]["id"]), at)
        if name == "user_received_message":
            return _receipt(event, IncomingKind.DELIVERED, account_id, at)
        if name == "user_seen_message":
            return _receipt(event, IncomingKind.SEEN, account_id, at)
        if name.startswith("oa_send_") and name not in ("oa_send_consent",):
            return _echo(event, account_id, at)
        if name == "user_withdraw":
            sender = event.get("sender") or event.get("follower") or {}
            return _event(event, IncomingKind.ERASE_REQUEST, account_id, str(sender.get("id", "")), at)
        return _event(event, IncomingKind.IGNORED, account_id, "", at)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, IndexError):
        raise WebhookRefused("unknown shape", authentic=True) from None


def _event(
    event: dict[str, Any],
    kind: IncomingKind,
    account_id: str,
    sender: str,
    at: datetime,
    *,
    text: str | None = None,
    attachments: tuple[IncomingAttachment, ...] = (),
    refers_to: tuple[str, ...] = (),
    human: bool = False,
) -> Incoming:
    return Incoming(
        channel=ChannelName.ZALO_OA,
        account_id=account_id,
        external_id=_external_id(event, kind, sender),
        kind=kind,
        sender_id=sender[:120],
        occurred_at=at,
        text=text,
        attachments=attachments,
        refers_to=refers_to,
        human=human,
    )


def _external_id(event: dict[str, Any], kind: IncomingKind, sender: str) -> str:
    """The message id where there is one; else what makes an event the same when it is repeated."""
    message = event.get("message")
    if kind.starts_turn and isinstance(message, dict) and message.get("msg_id"):
        return str(message["msg_id"])[:160]
    ids = message if isinstance(message, dict) else {}
    about = f"{ids.get('msg_id', '')}{ids.get('msg_ids', '')}"
    digest = hashlib.sha256(about.encode()).hexdigest()[:20]
    return f"{event.get('event_name')}:{event['timestamp']}:{sender}:{digest}"[:160]


def _message(event: dict[str, Any], kind: IncomingKind, account_id: str, at: datetime) -> Incoming:
    message = event["message"]
    text = message.get("text")
    items = message.get("attachments") or []
    attachments = tuple(_attachment(kind, item.get("payload") or {}) for item in items)
    if kind is IncomingKind.TEXT or kind not in (*_WITH_FILE, IncomingKind.LOCATION):
        attachments = ()
    return _event(
        event,
        kind,
        account_id,
        str(event["sender"]["id"]),
        at,
        text=text if isinstance(text, str) and text else None,
        attachments=attachments,
    )


def _attachment(kind: IncomingKind, payload: dict[str, Any]) -> IncomingAttachment:
    if kind is IncomingKind.LOCATION:
        where = payload["coordinates"]
        return IncomingAttachment(
            kind, latitude=float(where["latitude"]), longitude=float(where["longitude"])
        )
    size = payload.get("size")
    return IncomingAttachment(
        kind,
        url=str(payload["url"]) if payload.get("url") else None,
        file_name=str(payload["name"])[:120] if payload.get("name") else None,
        size_bytes=int(size) if size is not None and str(size).isdigit() else None,
    )


def _receipt(event: dict[str, Any], kind: IncomingKind, account_id: str, at: datetime) -> Incoming:
    message = event["message"]
    ids = message.get("msg_ids") or [message["msg_id"]]
    # A receipt's sender is the OA or the user depending on the event; the user is the one who is not us.
    people = [str(event[k]["id"]) for k in ("sender", "recipient") if isinstance(event.get(k), dict)]
    user = next((p for p in people if p != account_id), "")
    return _event(event, kind, account_id, user, at, refers_to=tuple(str(i) for i in ids))


def _echo(event: dict[str, Any], account_id: str, at: datetime) -> Incoming:
    message = event["message"]
    text = message.get("text")
    return _event(
        event,
        IncomingKind.ECHO,
        account_id,
        str(event["recipient"]["id"]),
        at,
        text=text if isinstance(text, str) else None,
        refers_to=(str(message["msg_id"]),),
        human=bool((event.get("sender") or {}).get("admin_id")),
    )

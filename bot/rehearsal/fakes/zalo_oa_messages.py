"""What may be in an OA message: forms, lengths, buttons. Pure rules: a `Draft` or a `ZaloError`.

Facts: docs.zaloplatforms.com OA/tin-nhan/tin-tu-van/…, OA/phu-luc/cau-truc-cua-tham-so-buttons and
OA/phu-luc/ma-loi, read 2026-08 to 2026-10. Lengths are counted after NFC.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.fakes.world import Button

MAX_TEXT = 2000
MAX_BUTTONS = 5
MAX_PAYLOAD = 1000


class ZaloError(Exception):
    """An error answer of the OA host, sent with HTTP 200; `limit` names the published limit it is about."""

    def __init__(self, code: int, message: str, *, limit: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that the platform would take. `echo` is the event that tells the webhook of it, or empty."""

    kind: str
    text: str
    echo: str
    buttons: tuple[Button, ...] = ()
    media: str = ""
    quoted: str = ""


def read_message(message: dict[str, Any], *, asset: Callable[[str, str], str]) -> Draft:
    """Check the `message` of a request; raises `ZaloError`.

    `asset(kind, id)` gives the address of an uploaded file of kind image, gif or file, or raises.
    """
    text = _text(message)
    quoted = str(message.get("quote_message_id") or "")
    attachment = message.get("attachment")
    if attachment is None:
        if not text.strip():
            raise ZaloError(-201, "text is empty")
        return Draft("text", text, "oa_send_text", quoted=quoted)
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if not isinstance(payload, dict):
        raise ZaloError(-201, "attachment.payload is invalid")
    if attachment.get("type") == "file":
        media = asset("file", str(payload.get("token", "")))
        return Draft("file", text, "oa_send_file", media=media)
    if attachment.get("type") != "template":
        raise ZaloError(-233, "attachment type is not supported")
    return _read_template(payload, text, asset)


def _text(message: dict[str, Any]) -> str:
    text = message.get("text", "")
    if not isinstance(text, str):
        raise ZaloError(-201, "text is not a string")
    if len(unicodedata.normalize("NFC", text)) > MAX_TEXT:
        raise ZaloError(-210, f"text is longer than {MAX_TEXT} characters", limit="text_too_long")
    return text


def _read_template(payload: dict[str, Any], text: str, asset: Callable[[str, str], str]) -> Draft:
    buttons = tuple(map(_button, _buttons(payload)))
    template_type = payload.get("template_type", "button")
    if template_type == "media":
        return _read_media(_elements(payload, most=1)[0], text, buttons, asset)
    if template_type == "button":
        if not text.strip():
            raise ZaloError(-201, "text is empty")
        return Draft("text", text, "oa_send_text", buttons)
    if template_type in ("list", "request_user_info"):
        elements = _elements(payload, most=5 if template_type == "list" else 1)
        lines = [str(e.get(part, "")) for e in elements for part in ("title", "subtitle") if e.get(part)]
        if not elements[0].get("title"):
            raise ZaloError(-201, "title is empty")
        echo = "oa_send_list" if template_type == "list" else ""
        return Draft(template_type, "\n".join([text, *lines] if text else lines), echo, buttons)
    raise ZaloError(-233, "template_type is not supported")


def _read_media(
    element: dict[str, Any], text: str, buttons: tuple[Button, ...], asset: Callable[[str, str], str]
) -> Draft:
    media_type = str(element.get("media_type", ""))
    if media_type not in ("image", "gif", "sticker"):
        raise ZaloError(-201, "media_type is invalid")
    if media_type == "gif" and not (element.get("width") and element.get("height")):
        raise ZaloError(-201, "width and height are required for gif")
    url, attachment_id = str(element.get("url", "")), str(element.get("attachment_id", ""))
    if not url and not attachment_id:
        raise ZaloError(-201, "url or attachment_id is required")
    # A sticker's id names one of the platform's own pictures, not an upload.
    known = media_type == "sticker" or not attachment_id
    media = (url or attachment_id) if known else asset(media_type, attachment_id)
    return Draft(media_type, text, f"oa_send_{media_type}", buttons, media)


def _elements(payload: dict[str, Any], *, most: int) -> list[dict[str, Any]]:
    elements = payload.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        raise ZaloError(-201, f"elements must have 1 to {most} items")
    if not all(isinstance(element, dict) for element in elements):
        raise ZaloError(-201, "elements must be objects")
    return elements


def _buttons(payload: dict[str, Any]) -> list[dict[str, Any]]:
    buttons = payload.get("buttons") or []
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise ZaloError(-201, "buttons is invalid")
    if len(buttons) > MAX_BUTTONS:
        raise ZaloError(-210, f"more than {MAX_BUTTONS} buttons", limit="too_many_buttons")
    return buttons


_PAYLOAD_PARTS = {
    "oa.open.url": ("url",),
    "oa.open.sms": ("content", "phone_code"),
    "oa.open.phone": ("phone_code",),
}


def _button(button: dict[str, Any]) -> Button:
    title, kind, payload = button.get("title"), button.get("type"), button.get("payload")
    if not isinstance(title, str) or not title.strip():
        raise ZaloError(-201, "button title is empty")
    if kind in ("oa.query.show", "oa.query.hide"):
        if not isinstance(payload, str) or not payload:
            raise ZaloError(-201, "button payload must be a string")
        if len(unicodedata.normalize("NFC", payload)) > MAX_PAYLOAD:
            raise ZaloError(-210, "button payload is too long", limit="button_payload_too_long")
        return Button(title, payload, kind)
    parts = _PAYLOAD_PARTS.get(str(kind))
    if parts is None:
        raise ZaloError(-201, "button type is invalid")
    if not isinstance(payload, dict) or not all(payload.get(part) for part in parts):
        raise ZaloError(-201, f"button payload needs {', '.join(parts)}")
    return Button(title, str(payload[parts[-1]]), str(kind))

"""What the page posts, read into plain values and then into the `Incoming` of the channel port."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from bot.simulator.channel import CHOICE_VALUE_BYTES, PERSON_PATTERN, SimulatorChannel
from core.outbox.port import Incoming, IncomingAttachment, IncomingKind

TEXT_LIMIT = 10_000  # typed characters in one message; 5,000 must pass
MESSAGE_ID_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"
_FILE_NAME_LENGTH = 120
_MESSAGE_ID = re.compile(MESSAGE_ID_PATTERN)
_PERSON = re.compile(PERSON_PATTERN)


class UnreadableMessage(Exception):
    """The body is not a message of the page."""


class _Posted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str = Field(pattern=PERSON_PATTERN)
    id: str = Field(pattern=MESSAGE_ID_PATTERN, description="Made by the page; the same when it repeats.")


class TextMessage(_Posted):
    """Typed words; may be empty, as on a real phone."""

    kind: Literal["text"]
    text: str = Field(max_length=TEXT_LIMIT)


class ChoiceMessage(_Posted):
    """A tapped button: its value for the bot, its label for the own bubble."""

    kind: Literal["choice"]
    value: str = Field(min_length=1)
    label: str = Field(min_length=1, max_length=300)

    @field_validator("value")
    @classmethod
    def _short_enough(cls, value: str) -> str:
        if len(value.encode()) > CHOICE_VALUE_BYTES:
            raise ValueError("choice value too long")
        return value


class StickerMessage(_Posted):
    """A sticker; its picture means nothing to the bot."""

    kind: Literal["sticker"]


class LocationMessage(_Posted):
    """A place in degrees (WGS 84)."""

    kind: Literal["location"]
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class FollowMessage(_Posted):
    """The start button of a new phone."""

    kind: Literal["follow"]


PostedMessage = Annotated[
    TextMessage | ChoiceMessage | StickerMessage | LocationMessage | FollowMessage,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[PostedMessage] = TypeAdapter(PostedMessage)
_INCOMING_KINDS = {
    "text": IncomingKind.TEXT,
    "choice": IncomingKind.CHOICE,
    "sticker": IncomingKind.STICKER,
    "location": IncomingKind.LOCATION,
    "follow": IncomingKind.FOLLOWED,
}


def read_message(body: bytes) -> PostedMessage:
    """The message in a JSON body; raises `UnreadableMessage`.

    Half characters (lone surrogates), which no database takes, become the replacement character U+FFFD.
    """
    try:
        posted = json.loads(body, parse_constant=_no_constants)
        if not isinstance(posted, dict):
            raise UnreadableMessage("not an object")
        return _ADAPTER.validate_python({key: _whole(value) for key, value in posted.items()})
    except (ValueError, RecursionError) as error:  # Bad JSON, bad UTF-8 and `ValidationError` are all these.
        raise UnreadableMessage(_where(error)) from None


def _no_constants(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _where(error: Exception) -> str:
    """Which field was wrong, without its content: people's words stay out of errors and logs."""
    if isinstance(error, ValidationError):
        return ", ".join(".".join(map(str, problem["loc"])) or "message" for problem in error.errors())
    return "not JSON"


def incoming(message: PostedMessage, *, at: datetime) -> Incoming:
    """The event to store. `external_id` is the same when the page posts the message again."""
    text: str | None = None
    attachments: tuple[IncomingAttachment, ...] = ()
    match message:
        case TextMessage():
            text = message.text
        case ChoiceMessage():
            text = message.value
        case LocationMessage():
            attachments = (
                IncomingAttachment(
                    IncomingKind.LOCATION, latitude=message.latitude, longitude=message.longitude
                ),
            )
    return _event(
        message.person,
        message.id,
        kind=_INCOMING_KINDS[message.kind],
        at=at,
        text=text,
        attachments=attachments,
    )


def incoming_file(person: str, message_id: str, *, attachment: IncomingAttachment, at: datetime) -> Incoming:
    """The event of an uploaded file, of the attachment's kind."""
    return _event(person, message_id, kind=attachment.kind, at=at, attachments=(attachment,))


def _event(
    person: str,
    message_id: str,
    *,
    kind: IncomingKind,
    at: datetime,
    text: str | None = None,
    attachments: tuple[IncomingAttachment, ...] = (),
) -> Incoming:
    return Incoming(
        channel=SimulatorChannel.name,
        account_id=SimulatorChannel.account_id,
        external_id=f"{person}:{message_id}",
        kind=kind,
        sender_id=person,
        occurred_at=at,
        text=text,
        attachments=attachments,
    )


def shown_text(message: PostedMessage) -> str:
    """The words of the own bubble."""
    match message:
        case TextMessage():
            return message.text
        case ChoiceMessage():
            return message.label
    return ""


def are_ids(person: str, message_id: str) -> bool:
    """Whether both ids of an upload have the right shape."""
    return bool(_PERSON.fullmatch(person) and _MESSAGE_ID.fullmatch(message_id))


def file_name(quoted: str) -> str:
    """A percent-encoded file name as plain NFC text: no folders, no control characters, not too long."""
    name = PurePath(unquote(quoted, errors="replace").replace("\\", "/")).name
    plain = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    stem, dot, ending = plain.strip().rpartition(".")
    if dot and len(ending) <= 8:
        return f"{stem[: _FILE_NAME_LENGTH - len(ending) - 1]}.{ending}"
    return plain.strip()[:_FILE_NAME_LENGTH]

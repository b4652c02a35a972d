"""The one port that every channel adapter implements, and the plain values that cross it.

Adapters translate a platform's HTTP into these values in one place; the engine knows no platform.
Errors form one small tree::

    SendError                 an attempt that did not certainly succeed
    ├── NotDelivered          the platform certainly did not take the message
    └── OutcomeUnknown        nobody can say; never sent again by itself
    WebhookRefused            the request is not from the platform (or is not readable)
    PollFailed                a poll brought nothing and may be repeated
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class ChannelName(StrEnum):
    """The channels a citizen can write through; the value is stored and printed."""

    TELEGRAM = "telegram"
    ZALO_OA = "zalo_oa"
    ZALO_BOT = "zalo_bot"
    SIMULATOR = "simulator"


class IncomingKind(StrEnum):
    """What a platform told us. Message kinds start a turn; the others are applied to rows."""

    TEXT = "text"
    CHOICE = "choice"  # a tapped button; `text` holds its value
    EDITED_TEXT = "edited_text"
    PHOTO = "photo"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    LOCATION = "location"
    STICKER = "sticker"
    CONTACT = "contact"
    UNSUPPORTED = "unsupported"
    FOLLOWED = "followed"  # started or followed again: reachable
    UNFOLLOWED = "unfollowed"  # blocked, unfollowed: not reachable, an opt-out
    DELIVERED = "delivered"
    SEEN = "seen"
    ECHO = "echo"  # our own message coming back, or a human's (`human` is true)
    ERASE_REQUEST = "erase_request"  # the platform says the user withdrew all data
    IGNORED = "ignored"  # authentic but without meaning for us; stored so that it is not read twice

    @property
    def starts_turn(self) -> bool:
        """True when the citizen expects an answer."""
        return self in _TURN_KINDS


_TURN_KINDS = frozenset(
    {
        IncomingKind.TEXT,
        IncomingKind.CHOICE,
        IncomingKind.EDITED_TEXT,
        IncomingKind.PHOTO,
        IncomingKind.VOICE,
        IncomingKind.VIDEO,
        IncomingKind.FILE,
        IncomingKind.LOCATION,
        IncomingKind.STICKER,
        IncomingKind.CONTACT,
        IncomingKind.UNSUPPORTED,
        IncomingKind.FOLLOWED,
    }
)


@dataclass(frozen=True, slots=True)
class IncomingAttachment:
    """One medium as the platform named it. `url` may die within the hour; `file_ref` is the platform's id."""

    kind: IncomingKind
    file_ref: str | None = None
    url: str | None = None
    file_name: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None
    duration_s: float | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a platform, translated.

    `external_id` is unique per (channel, account_id) and the same when the platform repeats the event;
    `sender_id` addresses the person for sending; `refers_to` are platform message ids: those that a receipt,
    an echo or an edit is about, or a message's own where the platform numbers events differently;
    `occurred_at` is aware UTC by the platform's clock.
    """

    channel: ChannelName
    account_id: str
    external_id: str
    kind: IncomingKind
    sender_id: str
    occurred_at: datetime
    text: str | None = None
    attachments: tuple[IncomingAttachment, ...] = ()
    refers_to: tuple[str, ...] = ()
    human: bool = False
    start_payload: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One offered answer: shown as a button where there are buttons, always typed as its number or label.

    `value` is what comes back from a tapped button, at most 64 bytes.
    """

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send. `text` is NFC, within the channel's limit, and lists its numbered choices.

    With `template_data` it goes as the account's approved template instead, where the platform has such.
    """

    delivery_id: int
    recipient_id: str
    text: str
    choices: tuple[Choice, ...] = ()
    bulk: bool = False
    template_data: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do, as data. Rates are the platform's published ceilings."""

    text_limit: int
    max_buttons: int
    receipts: bool
    echoes: bool
    polling: bool
    free_window_s: int | None = None
    paid_window_s: int | None = None
    messages_per_second: float | None = None
    messages_per_chat_per_second: float | None = None
    monthly_quota: int | None = None


class SendFailure(StrEnum):
    """Who must act on a message that certainly did not go out."""

    RATE_LIMITED = "rate_limited"  # nobody: the whole lane waits `retry_after_s`
    TEMPORARY = "temporary"  # nobody: this message is tried again
    RECIPIENT_GONE = "recipient_gone"  # blocked, unfollowed, deactivated: an opt-out
    WINDOW_CLOSED = "window_closed"  # waits for the person's next message
    QUOTA_USED = "quota_used"  # held until the quota is renewed; staff may buy more
    ACCOUNT_STOPPED = "account_stopped"  # token or plan: staff must act, the lane stops
    REJECTED = "rejected"  # our fault: the platform refuses this very message


class SendError(Exception):
    """The attempt did not certainly succeed."""

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.code = code


class NotDelivered(SendError):
    """The platform certainly did not take the message."""

    def __init__(
        self,
        failure: SendFailure,
        detail: str,
        *,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.failure = failure
        self.retry_after_s = retry_after_s


class OutcomeUnknown(SendError):
    """The request left and no answer came back; the message may or may not be on the phone."""


class WebhookRefused(Exception):
    """The request is not authentic (`authentic` False) or is not readable (`authentic` True)."""

    def __init__(self, detail: str, *, authentic: bool) -> None:
        super().__init__(detail)
        self.authentic = authentic


class PollFailed(Exception):
    """A poll brought nothing. `stop` says that repeating is pointless until staff acts."""

    def __init__(self, detail: str, *, retry_after_s: float = 1.0, stop: bool = False) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.stop = stop


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """Answer of `Channel.check`: `problem` is a code of the staff catalogue, empty when all is well."""

    ok: bool
    problem: str = ""
    detail: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """A fetched attachment, at most the limit asked for."""

    content: bytes
    mime_type: str
    file_name: str


class Channel(Protocol):
    """A platform account that people write to. One object per account; safe for concurrent sends."""

    name: ChannelName
    account_id: str
    capabilities: Capabilities

    async def send(self, message: Outgoing) -> str:
        """Send once and return the platform's message id.

        Raises `NotDelivered` or `OutcomeUnknown`; never retries by itself. Cancellation leaves the
        outcome unknown to the caller.
        """
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Incoming]:
        """Authenticate and translate one webhook request; `headers` has lower-case keys.

        Raises `WebhookRefused`. An authentic request of a kind we do not know gives `IGNORED` or
        `UNSUPPORTED` events, never an error, so that the platform does not repeat it for ever.
        """
        ...

    async def poll(self, *, cursor: str | None, timeout_s: float) -> tuple[list[Incoming], str | None]:
        """Ask for new events; returns them with the cursor for the next call.

        The caller stores the events before it polls again (the next call acknowledges, and Zalo Bot
        hands each event out once). Raises `PollFailed`.
        """
        ...

    async def fetch(self, attachment: IncomingAttachment, *, max_bytes: int) -> Download:
        """Download one attachment; raises `NotDelivered` when the platform does not give it."""
        ...

    async def check(self) -> ChannelHealth:
        """Ask the platform who we are; used by `nghedan check` and `/readyz`. Never raises."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class WebhookOwner(Protocol):
    """A channel whose webhook we enter ourselves; on Zalo OA the administrator does it in the console."""

    async def register_webhook(self, url: str) -> None:
        """Have events sent to `url`; they then no longer come by polling. Raises `SendError`."""
        ...

    async def remove_webhook(self) -> None:
        """Go back to polling; what waits at the platform stays there. Raises `SendError`."""
        ...


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A rotating OAuth pair. `expires_at` is aware UTC and belongs to the access token."""

    access_token: str
    refresh_token: str
    expires_at: datetime


class TokenStore(Protocol):
    """Durable home of one account's rotating tokens; `lock` is exclusive across processes.

    The lock's life exceeds the HTTP timeout of a refresh, so that one single-use refresh token is spent once.
    """

    async def load(self) -> TokenPair | None:
        """The newest durable pair, or None before the first."""
        ...

    async def save(self, pair: TokenPair) -> None:
        """Make the pair durable, keep the previous one; returns only when it is written."""
        ...

    def lock(self) -> Any:
        """Async context manager; entering waits for the holder, re-read `load()` after it."""
        ...

    async def recall(self, name: str) -> str | None:
        """What `remember` kept of the account, across restarts and programs."""
        ...

    async def remember(self, name: str, value: str | None) -> None:
        """Keep a small fact of the account; None forgets it."""
        ...

"""What the three fake platforms share: time, chance, the record of everything, and the phones of the people.

The record is the ground truth of a rehearsal: a message is on a phone only if a `SHOWN` entry says so,
whatever answer the system under test did or did not get. Everything here belongs to one event loop;
call it from that loop only. The texts in the record are the rehearsal's own; a record file (`jsonl`)
is for synthetic data.
"""

from __future__ import annotations

import asyncio
import json
import random
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TextIO

Clock = Callable[[], datetime]

# One white pixel and one silent frame: enough for a platform that looks at the type only.
SAMPLE_PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a4944415478da63f80f00010101"
    "001b36ed4d0000000049454e44ae426082"
)
SAMPLE_VOICE = b"OggS\x00\x02" + bytes(26)
SAMPLE_FILE = b"%PDF-1.4\n%%EOF\n"


class Platform(StrEnum):
    """The fake platforms; the values equal the channel names of the system under test."""

    TELEGRAM = "telegram"
    ZALO_OA = "zalo_oa"
    ZALO_BOT = "zalo_bot"


class Happening(StrEnum):
    """Kinds of record entries; what `Entry.what` and `Entry.code` mean is said per kind."""

    ACT = "act"  # a person did something; what = the act
    EVENT = "event"  # the platform made an update; what = its kind
    WEBHOOK = "webhook"  # one webhook request; what = its kind, code = HTTP status, 0 when there was none
    HANDED_OUT = "handed_out"  # updates left in a poll answer; what = how many
    CALL = "call"  # one API request; what = the method, code = the platform's error code, 0 when accepted
    SHOWN = "shown"  # a message is on the phone; detail = `Shown`
    CHANGED = "changed"  # a shown message was edited or deleted; detail = the new `Shown` or None
    VIOLATION = "violation"  # a request broke a published limit; what = which
    LOST = "lost"  # an update was given up; what = why


class Button(NamedTuple):
    """A button under a message. `kind` is the platform's word for it; `value` is what a tap would give."""

    label: str
    value: str
    kind: str


class Shown(NamedTuple):
    """One message of the bot as the person sees it; `at` is aware UTC by the world's clock.

    `kind` is text, photo, document, sticker, voice, template, or the platform's word; `media` says where
    the content is; `answered` is False when the sender never got a good answer for this message.
    """

    platform: Platform
    chat_id: str
    message_id: str
    at: datetime
    text: str
    buttons: tuple[Button, ...] = ()
    kind: str = "text"
    media: str = ""
    answered: bool = True


class Entry(NamedTuple):
    """One line of the record; `seq` rises over all platforms."""

    seq: int
    at: datetime
    platform: Platform
    kind: Happening
    chat_id: str
    what: str
    code: int = 0
    detail: Any = None


class NothingShown(TimeoutError):
    """No new message came to this phone in the time given."""


class NotOnThisPlatform(Exception):
    """People cannot do this on this platform."""


class PhoneRefuses(Exception):
    """The app does not let the person do this now, for example write to a bot that they blocked."""


def pieces(text: str, size: int) -> list[str]:
    """The messages that an app makes of a long text; an empty text is one empty message."""
    return [text[start : start + size] for start in range(0, max(len(text), 1), size)]


def system_clock() -> datetime:
    """The time of day, aware UTC."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests of windows, limits and expiry."""

    def __init__(self, start: datetime) -> None:
        """`start` must be aware."""
        if start.tzinfo is None:
            raise ValueError("the clock needs an aware datetime")
        self._now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._now

    def advance(self, **duration: float) -> None:
        """Move forward; takes the keywords of `timedelta` (seconds=, hours=, days= …)."""
        self._now += timedelta(**duration)


class Record:
    """Append-only log of all platforms, with O(1) access per chat and running totals.

    `jsonl` names a file that gets one JSON line per entry as well.
    """

    def __init__(self, clock: Clock, *, jsonl: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.clock = clock
        self._by_chat: defaultdict[tuple[Platform, str], list[Entry]] = defaultdict(list)
        self._totals: Counter[tuple[Platform, Happening, str]] = Counter()
        self._file: TextIO | None = jsonl.open("a", encoding="utf-8") if jsonl else None

    def add(
        self,
        platform: Platform,
        kind: Happening,
        *,
        chat_id: str,
        what: str,
        code: int = 0,
        detail: Any = None,
    ) -> Entry:
        """Append one entry and return it; `chat_id` may be empty for what concerns no chat."""
        entry = Entry(len(self.entries), self.clock(), platform, kind, chat_id, what, code, detail)
        self.entries.append(entry)
        if chat_id:
            self._by_chat[(platform, chat_id)].append(entry)
        self._totals[(platform, kind, what)] += 1
        if self._file is not None:
            self._file.write(_as_json_line(entry))
        return entry

    def of_chat(self, platform: Platform, chat_id: str) -> list[Entry]:
        """All entries of one chat, oldest first."""
        return self._by_chat.get((platform, chat_id), [])

    def total(self, kind: Happening, *, platform: Platform | None = None, what: str | None = None) -> int:
        """How many entries there are, narrowed to a platform and to one `what` when given."""
        return sum(
            number
            for (of_platform, of_kind, of_what), number in self._totals.items()
            if of_kind is kind and platform in (None, of_platform) and what in (None, of_what)
        )

    def totals(self, kind: Happening) -> dict[str, dict[str, int]]:
        """Totals of one kind: platform → what → number."""
        result: dict[str, dict[str, int]] = {}
        for (platform, of_kind, what), number in self._totals.items():
            if of_kind is kind:
                result.setdefault(platform.value, {})[what] = number
        return result

    def violations(self, platform: Platform | None = None) -> dict[str, int]:
        """Broken published limits: which → how often, over all platforms or one."""
        found: Counter[str] = Counter()
        for (of_platform, kind, what), number in self._totals.items():
            if kind is Happening.VIOLATION and platform in (None, of_platform):
                found[what] += number
        return dict(found)

    def close(self) -> None:
        """Flush and close the record file, if there is one; later entries stay in memory only."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _as_json_line(entry: Entry) -> str:
    fields = entry._asdict()
    fields["at"] = entry.at.isoformat()
    detail = entry.detail
    if isinstance(detail, Shown):
        fields["detail"] = {**detail._asdict(), "at": detail.at.isoformat()}
    return json.dumps(fields, ensure_ascii=False, default=str) + "\n"


class World:
    """One rehearsal's clock, chance and record; give the same world to all three platforms."""

    def __init__(self, *, clock: Clock = system_clock, seed: int = 0, jsonl: Path | None = None) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.record = Record(clock, jsonl=jsonl)

    def digits(self, length: int) -> str:
        """A random decimal id without a leading zero."""
        return str(self.random.randrange(10 ** (length - 1), 10**length))

    def hex(self, length: int) -> str:
        """A random lower-case hexadecimal id."""
        return f"{self.random.getrandbits(4 * length):0{length}x}"


class FakePhone(ABC):
    """One person's phone with one platform's app on it: their acts, and what they see.

    Acts take effect at once and return the platform's id of what was sent (empty when nothing was);
    the platform tells the system under test in its own time. Acts that a platform lacks raise
    `NotOnThisPlatform`; acts that the app would not allow now raise `PhoneRefuses`.
    """

    platform: Platform

    def __init__(self, world: World, *, chat_id: str, name: str) -> None:
        self.world = world
        self.chat_id = chat_id
        self.name = name
        self.blocked = False
        self.deactivated = False
        self.screen: list[Shown] = []
        self._taken = 0
        self._waiter: asyncio.Future[None] | None = None

    # What the person sees.

    def show(self, shown: Shown) -> None:
        """Put a message on the screen; called by the platform, not by the person."""
        self.screen.append(shown)
        self.world.record.add(
            self.platform, Happening.SHOWN, chat_id=self.chat_id, what=shown.kind, detail=shown
        )
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def change(self, message_id: str, shown: Shown | None) -> None:
        """Replace a message on the screen, or delete it with None; nobody is notified, as on a real phone."""
        for index in range(len(self.screen) - 1, -1, -1):
            if self.screen[index].message_id == message_id:
                break
        else:
            raise KeyError(message_id)
        if shown is None:
            del self.screen[index]
            self._taken -= index < self._taken
        else:
            self.screen[index] = shown
        what = "deleted" if shown is None else "edited"
        self.world.record.add(self.platform, Happening.CHANGED, chat_id=self.chat_id, what=what, detail=shown)

    def seen_message(self, message_id: str) -> Shown | None:
        """The message with this id on the screen, or None."""
        return next((s for s in reversed(self.screen) if s.message_id == message_id), None)

    async def next_message(self, *, timeout_s: float) -> Shown:
        """The oldest message not yet taken, waiting for one if need be; raises `NothingShown`.

        One reader at a time per phone.
        """
        if self._taken >= len(self.screen):
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait_for(self._waiter, timeout_s)
            except TimeoutError:
                raise NothingShown(f"nothing new in {timeout_s} s") from None
            finally:
                self._waiter = None
        shown = self.screen[self._taken]
        self._taken += 1
        return shown

    async def messages(self) -> AsyncIterator[Shown]:
        """Every message not yet taken, then each new one as it comes, for ever."""
        while True:
            try:
                yield await self.next_message(timeout_s=3600)
            except NothingShown:
                continue

    def take_unread(self) -> list[Shown]:
        """All messages not yet taken, without waiting; they count as taken."""
        unread = self.screen[self._taken :]
        self._taken = len(self.screen)
        return unread

    def find_button(self, label: str) -> tuple[Shown, Button]:
        """The newest message that has a button with this label, and the button; raises `KeyError`."""
        for shown in reversed(self.screen):
            for button in shown.buttons:
                if button.label == label:
                    return shown, button
        raise KeyError(f"no message shows a button {label!r}")

    # What the person does.

    def noted(self, act: str) -> None:
        """Record an act of this person."""
        self.world.record.add(self.platform, Happening.ACT, chat_id=self.chat_id, what=act)

    @abstractmethod
    def follow(self, payload: str = "") -> str:
        """Start, follow or open the bot; `payload` is a deep link's, where links carry one."""

    @abstractmethod
    def unfollow(self) -> None:
        """Unfollow; where there is no such thing, the same as blocking."""

    def block(self) -> None:
        """Refuse all further messages of the bot, which may not be told."""
        self.blocked = True
        self.noted("block")

    def unblock(self) -> None:
        """Undo `block`."""
        self.blocked = False
        self.noted("unblock")

    def deactivate(self) -> None:
        """Give the account up; the bot is not told until it writes."""
        self.deactivated = True
        self.noted("deactivate")

    @abstractmethod
    def write(self, text: str) -> str:
        """Type and send a text; an empty one goes out too, so that it can be tried."""

    @abstractmethod
    def send_photo(self, content: bytes = SAMPLE_PHOTO, *, caption: str = "") -> str:
        """Send a photo."""

    @abstractmethod
    def send_file(
        self, content: bytes = SAMPLE_FILE, *, name: str = "don.pdf", mime_type: str = "application/pdf"
    ) -> str:
        """Send a document."""

    @abstractmethod
    def send_voice(self, content: bytes = SAMPLE_VOICE, *, duration_s: int = 3) -> str:
        """Send a voice note."""

    @abstractmethod
    def send_video(self, content: bytes = b"\x00\x00\x00\x18ftypmp42") -> str:
        """Send a video."""

    @abstractmethod
    def send_location(self, latitude: float, longitude: float) -> str:
        """Send a place."""

    @abstractmethod
    def send_sticker(self) -> str:
        """Send a sticker."""

    @abstractmethod
    def send_unsupported(self) -> str:
        """Send something that bots are not told the content of."""

    @abstractmethod
    def edit(self, message_id: str, text: str) -> None:
        """Change a text sent earlier."""

    @abstractmethod
    def tap(self, label: str) -> str:
        """Tap the newest button with this label; raises `KeyError` when none is on the screen."""

    @abstractmethod
    def read(self) -> None:
        """Look at everything on the screen; tells the platform where it has read receipts."""

"""What each simulated phone has on its screen: bounded logs in memory, with listeners that are woken.

A cursor is `<epoch>-<number>`. The epoch changes with every start of the program, so a page that comes back
with an old cursor is given the whole new log instead of nothing.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.signals import WakeUp
from core.outbox.port import Choice, IncomingAttachment


class Author(StrEnum):
    """Who wrote an entry."""

    PERSON = "person"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Entry:
    """One bubble; `number` counts a phone's bubbles from 1, `at` is aware UTC.

    `id` is the page's message id, or the external id that `send` returned.
    """

    number: int
    id: str
    author: Author
    kind: str
    text: str
    at: datetime
    choices: tuple[Choice, ...] = ()
    delivery_id: int | None = None
    attachment: IncomingAttachment | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry as the page reads it; absent parts are left out."""
        shown: dict[str, Any] = {
            "id": self.id,
            "author": self.author,
            "kind": self.kind,
            "text": self.text,
            "at": self.at.isoformat(),
        }
        if self.choices:
            shown["choices"] = [{"label": choice.label, "value": choice.value} for choice in self.choices]
        if self.delivery_id is not None:
            shown["delivery_id"] = self.delivery_id
        if self.attachment is not None:
            shown |= _attachment_json(self.attachment)
        return shown


def _attachment_json(attachment: IncomingAttachment) -> dict[str, Any]:
    if attachment.latitude is not None:
        return {"latitude": attachment.latitude, "longitude": attachment.longitude}
    return {
        "file": {
            "ref": attachment.file_ref,
            "name": attachment.file_name,
            "type": attachment.mime_type,
            "bytes": attachment.size_bytes,
        }
    }


@dataclass(slots=True)
class _Talk:
    entries: deque[Entry]
    count: int = 0
    listeners: set[WakeUp] = field(default_factory=set)


class Talks:
    """The logs of all phones of one event loop: at most `max_people`, each with its last `max_entries`.

    The phone that was quiet longest is forgotten first; one that is being listened to never is.
    """

    def __init__(self, *, max_people: int = 1_000, max_entries: int = 300) -> None:
        self._max_people = max_people
        self._max_entries = max_entries
        self._epoch = secrets.token_hex(4)
        self._talks: OrderedDict[str, _Talk] = OrderedDict()
        self._listening = 0

    @property
    def listening(self) -> int:
        """How many listeners there are now, over all phones."""
        return self._listening

    def append(
        self,
        person: str,
        entry_id: str,
        *,
        author: Author,
        kind: str,
        text: str,
        at: datetime,
        choices: tuple[Choice, ...] = (),
        delivery_id: int | None = None,
        attachment: IncomingAttachment | None = None,
    ) -> Entry:
        """Add an entry and wake the phone's listeners; an id that is there already is not added again."""
        known = self.find(person, entry_id)
        if known is not None:
            return known
        talk = self._touch(person)
        talk.count += 1
        entry = Entry(
            number=talk.count,
            id=entry_id,
            author=author,
            kind=kind,
            text=text,
            at=at,
            choices=choices,
            delivery_id=delivery_id,
            attachment=attachment,
        )
        talk.entries.append(entry)
        for listener in talk.listeners:
            listener.ring()
        return entry

    def find(self, person: str, entry_id: str) -> Entry | None:
        """The entry of that id while the log still has it."""
        talk = self._talks.get(person)
        if talk is None:
            return None
        return next((entry for entry in reversed(talk.entries) if entry.id == entry_id), None)

    def after(self, person: str, cursor: str | None) -> list[Entry]:
        """Entries later than the cursor, oldest first; all of them when the cursor is not of this epoch."""
        talk = self._talks.get(person)
        seen = self._number(cursor)
        return [entry for entry in talk.entries if entry.number > seen] if talk else []

    def cursor(self, entries: list[Entry], before: str | None) -> str:
        """The cursor for the next call of `after`, from the one that was used and what it gave."""
        number = entries[-1].number if entries else self._number(before)
        return f"{self._epoch}-{number}"

    @contextmanager
    def listen(self, person: str) -> Iterator[WakeUp]:
        """Inside, the yielded wake-up rings at every new entry of that phone."""
        talk = self._touch(person)
        listener = WakeUp()
        talk.listeners.add(listener)
        self._listening += 1
        try:
            yield listener
        finally:
            talk.listeners.discard(listener)
            self._listening -= 1

    def wake_all(self) -> None:
        """Ring every listener, so that streams notice that the channel is closed."""
        for talk in self._talks.values():
            for listener in talk.listeners:
                listener.ring()

    def _number(self, cursor: str | None) -> int:
        epoch, _, number = (cursor or "").partition("-")
        return int(number) if epoch == self._epoch and number.isdecimal() else 0

    def _touch(self, person: str) -> _Talk:
        talk = self._talks.setdefault(person, _Talk(deque(maxlen=self._max_entries)))
        self._talks.move_to_end(person)
        if len(self._talks) > self._max_people:
            quiet = (key for key, other in self._talks.items() if not other.listeners and key != person)
            forgotten = next(quiet, None)
            if forgotten is not None:
                del self._talks[forgotten]
        return talk

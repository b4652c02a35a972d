"""One step of the dialogue for one message: what it may read and change, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.intake.reading import Reader
from core.intake.state import Dialogue
from core.outbox.port import Choice
from core.settings import Settings
from core.wording import CITIZEN
from storage.database import Database
from storage.models import Citizen, Concern, ConcernState, Contact, Inbound


@dataclass(frozen=True, slots=True)
class Services:
    """What every step may use; built once per process."""

    database: Database
    settings: Settings
    reader: Reader
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to the citizen."""

    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class StepCall:
    """What the dialogue engine passes to an action: the message's id and how it was understood."""

    inbound_id: int
    intent: str
    choice: str | None = None


@dataclass(slots=True)
class Turn:
    """A step in progress, inside one transaction."""

    session: Session
    services: Services
    call: StepCall
    inbound: Inbound
    contact: Contact
    citizen: Citizen
    dialogue: Dialogue
    now: datetime
    replies: list[Reply] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)
    files_to_delete: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The message's words, cleaned; empty when it has none."""
        return self.inbound.text or ""

    def keep_the_floor(self) -> None:
        """This step asks a question of its own, so the form must not ask its own again in this turn."""
        self.dialogue.note = self._floor

    @property
    def floor_is_taken(self) -> bool:
        """Whether an earlier step of this turn called `keep_the_floor`."""
        return self.dialogue.note == self._floor

    @property
    def _floor(self) -> str:
        # With the message's id: a note that no form has read must not silence a later turn.
        return f"floor:{self.inbound.id}"

    def say(self, key: str, /, choices: Sequence[Choice] = (), **values: object) -> None:
        """Add a message from the catalogue; its choices become what can be typed by number."""
        self.add(CITIZEN.say(key, **values), choices)

    def add(self, text: str, choices: Sequence[Choice] = ()) -> None:
        """Add a ready text."""
        self.replies.append(Reply(text, tuple(choices)))
        if choices:
            self.dialogue.offer(choices)

    def draft(self) -> Concern | None:
        """The concern being told, if any; there is at most one per conversation."""
        return self.session.scalar(
            select(Concern).where(Concern.contact_id == self.contact.id, Concern.state == ConcernState.DRAFT)
        )


def choice(label_key: str, value: str, **values: object) -> Choice:
    """A choice whose label is in the catalogue."""
    return Choice(CITIZEN.say(label_key, **values), value)


def quote(text: str, limit: int = 160) -> str:
    """The beginning of somebody's words on one line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"

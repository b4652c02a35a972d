"""Where the dialogue with one person stands, as plain values kept in the contact's row."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from core.outbox.port import Choice
from storage.models import Citizen, ConsentState


class Awaiting(StrEnum):
    """What the person's next words are taken for, where that does not depend on their meaning."""

    NOTHING = ""
    CONSENT = "consent"
    COMMUNE = "commune"
    CONFIRMATION = "confirmation"
    DETAIL = "detail"  # what `about` lacks to be acted on, or "không biết"
    REWRITE = "rewrite"  # the whole text of `about` anew
    ADDITION = "addition"  # more words for `about`


@dataclass(slots=True)
class Dialogue:
    """The conversation's memory between two messages.

    `choices` are those under our newest message, for typed numbers; `held` are ids of messages that wait
    for consent; `about` is the concern that a rewrite or addition is for; `purpose` remembers why somebody
    registers (`subscribe`), so that nobody asks twice; `candidates`, `elsewhere` and `commune_tries` are
    how the last answer about the commune was read; `whole` is the concern that the person called one matter,
    `asked` the one that was asked back about (once is enough); `note` is what one step tells the next of the same turn.
    """

    awaiting: Awaiting = Awaiting.NOTHING
    choices: list[list[str]] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    about: int | None = None
    purpose: str = ""
    misses: int = 0
    greeted: bool = False
    candidates: list[str] = field(default_factory=list)
    elsewhere: str = ""
    commune_tries: int = 0
    whole: int | None = None
    asked: int | None = None
    note: str = ""

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Dialogue:
        """From JSON; keys that an older or newer version wrote and we do not know are dropped."""
        # Copied deeply: a list changed in place inside the row's own value would never be written back.
        known = {key: deepcopy(value) for key, value in stored.items() if key in cls.__dataclass_fields__}
        known["awaiting"] = Awaiting(known.get("awaiting", ""))
        return cls(**known)

    def dump(self) -> dict[str, Any]:
        """To JSON."""
        return asdict(self)

    def reset(self) -> None:
        """Forget everything, as before the first contact."""
        for name, value in asdict(Dialogue()).items():
            setattr(self, name, value)
        self.awaiting = Awaiting.NOTHING

    def offer(self, choices: Sequence[Choice]) -> None:
        """Remember what the person can answer by number now."""
        self.choices = [[choice.label, choice.value] for choice in choices]


def snapshot(dialogue: Dialogue, citizen: Citizen, *, has_draft: bool) -> dict[str, Any]:
    """What a turn is seeded from; holds states only, never a citizen's words."""
    slots: dict[str, Any] = {
        "consent": "granted" if citizen.consent == ConsentState.GRANTED else None,
        "commune": citizen.unit_code,
        "has_draft": has_draft,
    }
    loop, requested = None, None
    if citizen.consent != ConsentState.GRANTED:
        loop, requested = "registration_form", "consent"
    elif citizen.unit_code is None:
        loop, requested = "registration_form", "commune"
    elif dialogue.awaiting in (Awaiting.CONFIRMATION, Awaiting.DETAIL) and has_draft:
        loop, requested = "concern_form", "confirmation"
        slots["concern_text"] = "draft"
    return {"active_loop": loop, "requested_slot": requested, "slots": slots}

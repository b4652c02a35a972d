"""What the rules ask of understanding, as plain values; the dialogue does not know which models answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.topics.themes import Themes

NORMAL_DOOR = "normal"


@dataclass(frozen=True, slots=True)
class Reading:
    """One text understood. `field_code` is None while it waits for a clerk; `unit_code` only when the text
    itself names a commune of this installation; `vector` is little-endian float32 bytes of `model`; `themes` are
    those of `core.topics.themes`, likeliest first; `white` is the vector whitened, for comparing.
    """

    field_code: str | None
    field_confidence: float
    unit_code: str | None
    place_text: str | None
    door: str = NORMAL_DOOR
    door_reasons: Sequence[str] = ()
    model: str = ""
    vector: bytes = b""
    themes: Themes = ()
    white: bytes = b""


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A commune-level unit as it is offered to people: official code and full name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CommuneAnswer:
    """Which commune a person meant: one, several to choose from, one elsewhere, or none."""

    found: NamedUnit | None = None
    candidates: Sequence[NamedUnit] = ()
    elsewhere: NamedUnit | None = None


@dataclass(frozen=True, slots=True)
class Similar:
    """An existing matter that looks the same; joining it counts the person once more under its code."""

    concern_id: int
    quote: str
    people: int


@dataclass(frozen=True, slots=True)
class KnownConcern:
    """What similarity needs of a stored concern of the same session and unit."""

    concern_id: int
    text: str
    field_code: str | None
    vector: bytes
    people: int = 1
    place_text: str | None = field(default=None)
    themes: Themes = ()


class Reader(Protocol):
    """Understanding of text, loaded once per process; safe to call from several threads."""

    def read(self, text: str) -> Reading:
        """Field, place, legal door and vector of a concern's text."""
        ...

    def split(self, text: str) -> Sequence[str]:
        """The matters of a message as pieces of its words; one when it is about one thing."""
        ...

    def missing(self, text: str) -> str | None:
        """Key of the one question that would make a concern actionable; None for nearly all."""
        ...

    def commune(self, text: str) -> CommuneAnswer:
        """The commune that a short answer names, in any spelling, old names too."""
        ...

    def most_similar(self, text: str, reading: Reading, known: Sequence[KnownConcern]) -> KnownConcern | None:
        """The one known concern that is surely the same matter, or None."""
        ...

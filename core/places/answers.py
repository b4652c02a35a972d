"""What the place rules answer: plain values, spans always in the cleaned text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Unit:
    """A province, or a commune-level unit after 1 July 2025.

    `code` has 2 digits for a province and 5 for a commune; `name` is bare ("Bát Xát"), `kind` is "Xã",
    "Phường",
    "Đặc khu", "Tỉnh" or "Thành phố"; a province is its own `province_code`.
    """

    code: str
    name: str
    kind: str
    province_code: str
    full_name: str


@dataclass(frozen=True, slots=True)
class PlaceSpan:
    """A piece of the cleaned text: `text == cleaned[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """Which commune is meant: `resolved` (unit set), `ambiguous` (ask with `candidates`) or `unknown`.

    `via` says how the unit was named: its current name, an old name, or a misspelt one. `confidence` is 0–1
    and
    only orders answers; `span` is the matched text, commune name with its kind.
    """

    status: Literal["resolved", "ambiguous", "unknown"]
    unit: Unit | None = None
    via: Literal["current", "old", "fuzzy"] | None = None
    confidence: float = 0.0
    span: PlaceSpan | None = None
    candidates: tuple[Unit, ...] = ()


UNKNOWN = PlaceAnswer("unknown")


@dataclass(frozen=True, slots=True)
class Surrounding:
    """A place smaller than a commune, in the writer's own words; `kind` is hamlet, road or landmark."""

    kind: Literal["hamlet", "road", "landmark"]
    span: PlaceSpan


@dataclass(frozen=True, slots=True)
class FoundPlaces:
    """Every place in one message: the commune it is about, and hamlets, roads and landmarks in text order."""

    text: str
    commune: PlaceAnswer
    surroundings: tuple[Surrounding, ...]

    @property
    def hamlets(self) -> tuple[PlaceSpan, ...]:
        """Thôn, bản, tổ … with their names."""
        return tuple(s.span for s in self.surroundings if s.kind == "hamlet")

    @property
    def roads(self) -> tuple[PlaceSpan, ...]:
        """Streets, national and provincial roads, bridges of roads with their names or numbers."""
        return tuple(s.span for s in self.surroundings if s.kind == "road")

    @property
    def landmarks(self) -> tuple[PlaceSpan, ...]:
        """Streams, markets, schools, health stations, offices …"""
        return tuple(s.span for s in self.surroundings if s.kind == "landmark")

    @property
    def empty(self) -> bool:
        """Whether the message names no place at all."""
        return self.commune.status == "unknown" and not self.surroundings

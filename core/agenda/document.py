"""The agenda as plain values: what every export prints and what a snapshot keeps."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ConcernLine:
    """One concern under its topic, without identity; `submitted_on` is an ISO date of the local day."""

    code: str
    text: str
    place: str
    people: int
    submitted_on: str


@dataclass(frozen=True, slots=True)
class TopicItem:
    """What one answer would settle. `people` are distinct: authors and those who joined, each once."""

    key: str
    label: str
    quote: str
    people: int
    places: tuple[str, ...]
    concerns: tuple[ConcernLine, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Receipt codes of all concerns in the topic."""
        return tuple(line.code for line in self.concerns)


@dataclass(frozen=True, slots=True)
class FieldPart:
    """Topics of one field, most people first."""

    code: str
    label: str
    topics: tuple[TopicItem, ...]


@dataclass(frozen=True, slots=True)
class NotListed:
    """Concerns that the agenda leaves out, by reason. Quarantined ones are counted, never named."""

    reason: str
    explanation: str
    count: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """The session that the agenda is for; instants are ISO 8601 with offset."""

    id: int
    title: str
    unit: str
    province: str
    held_at: str
    place: str
    chair: str


@dataclass(frozen=True, slots=True)
class AgendaDocument:
    """One agenda. Two built from the same rows are equal and have the same digest."""

    session: SessionFacts
    fields: tuple[FieldPart, ...]
    not_listed: tuple[NotListed, ...]
    people: int

    @property
    def topic_count(self) -> int:
        """Number of items."""
        return sum(len(part.topics) for part in self.fields)

    @property
    def concern_count(self) -> int:
        """Number of listed concerns."""
        return sum(len(topic.concerns) for part in self.fields for topic in part.topics)

    def dump(self) -> dict[str, Any]:
        """To JSON values."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]  # Tuples become lists.

    def digest(self) -> str:
        """SHA-256 over the canonical JSON."""
        canonical = json.dumps(self.dump(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @classmethod
    def load(cls, body: dict[str, Any]) -> AgendaDocument:
        """From JSON values."""
        return cls(
            session=SessionFacts(**body["session"]),
            fields=tuple(_load_field(part) for part in body["fields"]),
            not_listed=tuple(NotListed(**{**n, "codes": tuple(n["codes"])}) for n in body["not_listed"]),
            people=body["people"],
        )


def _load_field(part: dict[str, Any]) -> FieldPart:
    return FieldPart(part["code"], part["label"], tuple(_load_topic(topic) for topic in part["topics"]))


def _load_topic(topic: dict[str, Any]) -> TopicItem:
    return TopicItem(
        **{
            **topic,
            "places": tuple(topic["places"]),
            "concerns": tuple(ConcernLine(**line) for line in topic["concerns"]),
        }
    )

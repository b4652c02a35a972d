"""Which legal door a message knocks at, as a suggestion to a person, with the words that caused it.

The classifier proposes; a gate asks for the ideas without which a door makes no sense (a denunciation needs a
person and a wrong, an emergency a danger). So a door is never suggested without words that can be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from core.doors.features import SOMEONE, WRONGS, Hit, concept_names, features, find_ideas
from core.doors.model import DoorModel
from core.text.normal import clean

Door = Literal["normal", "khieu_nai", "to_cao", "khan", "xuc_pham", "quang_cao"]
DOORS: tuple[Door, ...] = get_args(Door)
MOST_REASONS = 5
# When the model is this sure, one idea is enough: who did it, or what is wanted, may be told in words that
# no list has.
_PLAIN = 0.7

# Each set must share an idea with the message.
_NEEDED: dict[Door, tuple[frozenset[str], ...]] = {
    "to_cao": (SOMEONE, WRONGS),
    "khieu_nai": (
        frozenset({"decision", "complain", "review"}),
        frozenset({"complain", "review"}),
    ),
    "khan": (frozenset({"now_danger", "help_now"}),),
    "xuc_pham": (frozenset({"insult", "rude"}),),
    "quang_cao": (frozenset({"advert", "link", "phone"}),),
}
_ESSENTIAL: dict[Door, frozenset[str]] = {
    "to_cao": WRONGS,
    "khieu_nai": frozenset({"decision", "complain", "review"}),
}
# Doubt goes to quarantine rather than to a public list, but an insult or advertisement must be plain.
_BIAS: dict[Door, float] = {"to_cao": 2.0, "khieu_nai": 1.1, "khan": 1.1, "xuc_pham": 0.8, "quang_cao": 0.9}


@dataclass(frozen=True, slots=True)
class Reason:
    """Words that speak for the door: `text == cleaned[start:end]`; `rule` is the idea's name."""

    start: int
    end: int
    text: str
    rule: str

    @property
    def label(self) -> str:
        """What the idea is called for staff."""
        return concept_names().get(self.rule, self.rule)


@dataclass(frozen=True, slots=True)
class DoorSuggestion:
    """`confidence` is the model's probability of the suggested door; `reasons` are empty for normal."""

    door: Door
    confidence: float
    reasons: tuple[Reason, ...]


def check_door(text: str, *, model: DoorModel) -> DoorSuggestion:
    """Suggest a door for one message or one part of it; spans point into `clean(text)`."""
    cleaned = clean(text)
    hits = find_ideas(cleaned)
    values = features(cleaned, hits)
    probabilities = model.probabilities(values)
    ideas = {hit.idea for hit in hits}
    door: Door = "normal"
    best = probabilities["normal"]
    for candidate, needed in _NEEDED.items():
        weighted = probabilities[candidate] * _BIAS[candidate]
        enough = all(not wanted.isdisjoint(ideas) for wanted in needed)
        if candidate in _ESSENTIAL and probabilities[candidate] >= _PLAIN:
            enough = not _ESSENTIAL[candidate].isdisjoint(ideas)
        if weighted > best and enough:
            door, best = candidate, weighted
    if door == "normal":
        return DoorSuggestion("normal", round(probabilities["normal"], 3), ())
    return DoorSuggestion(
        door, round(probabilities[door], 3), _reasons(cleaned, hits, values, model=model, door=door)
    )


def _reasons(
    text: str, hits: list[Hit], values: dict[str, float], *, model: DoorModel, door: Door
) -> tuple[Reason, ...]:
    """The ideas that pull towards the door, strongest first; an idea in company counts its company's pull."""
    wanted = frozenset().union(*_NEEDED[door])
    pulls: dict[str, float] = {}
    for name, value in values.items():
        pull = model.pull(door, name, value)
        prefix, _, rest = name.partition(":")
        if prefix in "iat":
            for idea in rest.split("+"):
                pulls[idea] = pulls.get(idea, 0.0) + pull
    chosen: list[Reason] = []
    for hit in sorted(hits, key=lambda h: (h.idea not in wanted, -pulls.get(h.idea, 0.0), h.start)):
        if hit.idea not in wanted and pulls.get(hit.idea, 0.0) <= 0:
            continue
        if any(hit.start < reason.end and reason.start < hit.end for reason in chosen):
            continue
        chosen.append(Reason(hit.start, hit.end, text[hit.start : hit.end], hit.idea))
    return tuple(sorted(chosen[:MOST_REASONS], key=lambda r: r.start))

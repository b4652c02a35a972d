"""Which current unit a commune name means, given what else the text says; the weights are the whole rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.places.gazetteer import District, Entry, Province
from core.places.mentions import Mention
from core.places.tokens import Token, marks

Via = Literal["current", "old", "fuzzy"]

HOME = 3.5  # namesakes elsewhere lose against a unit of the installation's own province
NAMED = 3.0  # the district or province that the text itself names
CONTRADICTED = -4.0
NEAR = 1.2
SAME_KIND = 1.0
OTHER_KIND = -0.6
NO_TOWNS_NOW = -1.6  # "thị trấn" cannot be a current unit's kind
CURRENT = 1.0
TWO_LEVELS = 1.0  # "xã X, tỉnh Y" with no district is how addresses are written since July 2025
SAYS_OLD = 1.6  # "xã … cũ"
SAME_MARKS = 0.5
OTHER_MARKS = -2.5
LEFT_OUT = -1.5  # a bare word in a text with diacritics: "Văn Lang" is hardly Văn Lăng
GIVEN_UP = -1.5  # names that ended before 2025
MISSPELT = -2.0
LATER_PART = -0.5  # of a commune that was divided, the part that is not the main one
KEPT_NAME = 0.8  # of a divided commune, the part that kept its name
SURE_MARGIN = 1.0


@dataclass(frozen=True, slots=True)
class Context:
    """What bears on every name in a text: the districts and provinces that it names, home and near units.

    One named place may be a district, a province or, without its kind ("Phú Thọ"), either.
    """

    named: tuple[tuple[tuple[District, ...], tuple[Province, ...]], ...] = ()
    home: str | None = None
    near: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """One current unit that a mention may mean; a higher `score` is more likely."""

    code: str
    score: float
    via: Via


def rank(mention: Mention, tokens: Sequence[Token], context: Context) -> list[Choice]:
    """The units that a commune mention may mean, best first."""
    best: dict[str, Choice] = {}
    current = {entry.targets[0] for entry in mention.communes if entry.era == "current"}
    kept_name: set[str] = set()
    for entry in mention.communes:
        if len(entry.targets) > 1:
            kept_name |= current & set(entry.targets)
        score = _score(entry, mention, tokens, context)
        via: Via = "fuzzy" if mention.distance else entry.era
        for order, code in enumerate(entry.targets):
            choice = Choice(code, score + (LATER_PART if order else 0.0) + _near(code, context), via)
            if code not in best or choice.score > best[code].score:
                best[code] = choice
    kept = [Choice(c.code, c.score + KEPT_NAME, c.via) if c.code in kept_name else c for c in best.values()]
    return sorted(kept, key=lambda choice: (-choice.score, choice.code))


def _near(code: str, context: Context) -> float:
    return NEAR if code in context.near else 0.0


def _score(entry: Entry, mention: Mention, tokens: Sequence[Token], context: Context) -> float:
    score = (
        (0.0 if entry.signature else GIVEN_UP)
        + _where(entry, context)
        + _marks(entry, mention, tokens)
        + MISSPELT * mention.distance
    )
    if mention.kind:
        other = NO_TOWNS_NOW if mention.kind == "thi tran" and entry.era == "current" else OTHER_KIND
        score += SAME_KIND if mention.kind == entry.kind else other
    if entry.era == "current":
        score += CURRENT + (TWO_LEVELS if mention.kind and _two_levels(context) else 0.0)
    elif mention.last < len(tokens) and tokens[mention.last].text.casefold() in ("cũ", "cu"):
        score += SAYS_OLD
    return score


def _two_levels(context: Context) -> bool:
    return bool(context.named) and all(
        not districts and any(not province.old for province in provinces)
        for districts, provinces in context.named
    )


def _where(entry: Entry, context: Context) -> float:
    districts = [_named_place(entry, d, p) for d, p in context.named if d]
    provinces = [_named_place(entry, d, p) for d, p in context.named if not d]
    score = max(districts, default=0.0) + max(provinces, default=0.0)
    if not provinces and entry.province == context.home:
        score += HOME
    return score


def _named_place(entry: Entry, districts: Sequence[District], provinces: Sequence[Province]) -> float:
    scores = [NAMED if d.key in entry.districts else CONTRADICTED for d in districts]
    scores += [_province(entry, province) for province in provinces]
    return max(scores)


def _province(entry: Entry, province: Province) -> float:
    if entry.province != province.code:
        return CONTRADICTED
    if province.old:
        return NAMED + (0.4 if province.old in entry.old_provinces else -1.5)
    return NAMED


def _marks(entry: Entry, mention: Mention, tokens: Sequence[Token]) -> float:
    """Diacritics that were typed count for or against; those left out count nothing."""
    words = tokens[mention.name : mention.last]
    if len(entry.signature) != len(words) or mention.distance:
        return 0.0
    typed = [marks(token.text) for token in words]
    wrong = sum(1 for t, s in zip(typed, entry.signature, strict=True) if t and t != s)
    left_out = sum(1 for t, s in zip(typed, entry.signature, strict=True) if not t and s)
    if wrong:
        return OTHER_MARKS * wrong
    if any(typed) or any(marks(token.text) for token in tokens):
        return SAME_MARKS + LEFT_OUT * left_out
    return 0.0

"""Whether two concerns are the same matter of the same place: few offers to join, and right ones.

A wrong offer insults the person who is asked; a missed one costs a clerk nothing, because both concerns still meet in
one topic. So every condition must hold.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.places import Gazetteer
from core.text.normal import clean, fold, words
from core.topics.themes import Themes
from core.topics.vocabulary import typical_words

# Chosen on pairs written for it (tests/unit/topics/matters.jsonl), for precision.
_THEME = 0.4


class _Bars(NamedTuple):
    """Least share of the shorter text's telling words, of the longer one's, least cosine."""

    of_shorter: float
    of_longer: float
    alike: float


_NAMED, _UNNAMED = _Bars(0.5, 0.33, 0.57), _Bars(0.7, 0.5, 0.75)
LEAST_ALIKE = _NAMED.alike
# Two names are one when this share of the shorter's words is in both ("May Phú Thịnh", "công ty Phú Thịnh").
_SAME_NAME = 0.6
# Least share of the words of the shorter text that are neither names nor the theme's own.
_TROUBLE = 0.4
_NUMBERED = re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w+\b")
_SENTENCE = re.compile(r"[.!?;:\n]")
# Words that say nothing of what the matter is.
_LIGHT = frozenset(
    fold(
        "đề nghị kiến nghị xin mong cần phải được không chưa có là thì mà và của cho ở tại trên vào ra các những một"
        " này kia đó rồi quá lắm nhiều bị do vì nên để với như chúng tôi em bà con dân người xã thôn bản tổ nay năm"
        " tháng tuần ngày cả hết lại đi về làm ạ nhé sớm gấp giúp hiện đang đã sẽ còn cũng rất"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Places:
    """Folded names that a concern gives: its commune's code (or None), what is inside it by kind, the words of other
    names ("khe Cốc Chủ"), and things that bear a number ("kênh N2", "4E").
    """

    commune: str | None
    inside: tuple[frozenset[str], ...]
    names: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Matter:
    """A concern to compare: the text as read, its themes, its whitened unit vector, its places."""

    text: str
    themes: Themes
    vector: NDArray[np.float32]
    places: Places


def places_of(gazetteer: Gazetteer, text: str, place: str = "") -> Places:
    """What a text, and the place that was given beside it, say of where the matter is."""
    found = gazetteer.find(text)
    beside = gazetteer.find(place) if place else found
    unit = beside.commune.unit or found.commune.unit
    hamlets, roads, landmarks = (
        [fold(span.text) for answer in (found, beside) for span in getattr(answer, kind)]
        for kind in ("hamlets", "roads", "landmarks")
    )
    # "phố Hoàng Liên" and "đường Hoàng Liên" are one street.
    named = (frozenset(hamlets), frozenset(_without_kind(r) for r in roads), frozenset(landmarks))
    return Places(unit.code if unit else None, named, _names(text), frozenset(_NUMBERED.findall(fold(text))))


def _without_kind(road: str) -> str:
    return road.partition(" ")[2] or road


def _names(text: str) -> frozenset[str]:
    """Folded words of the names inside the sentences ("khe Cốc Chủ"): capitalised, two or more in a row."""
    found: set[str] = set()
    for sentence in _SENTENCE.split(clean(text)):
        run: list[str] = []
        for word in [*words(sentence)[1:], ""]:
            if word[:1].isupper():
                run.append(fold(word))
                continue
            found.update(run if len(run) > 1 else ())
            run = []
    return frozenset(found)


def same_matter(one: Matter, other: Matter) -> bool:
    """Whether one answer would surely settle both: theme, meaning and words agree, and nothing speaks against it."""
    if not one.themes or not other.themes or one.themes[0][0] != other.themes[0][0]:
        return False
    if min(one.themes[0][1], other.themes[0][1]) < _THEME or _elsewhere(one.places, other.places):
        return False
    if _contrary(one, other):
        return False
    mine, theirs = telling_words(one.text), telling_words(other.text)
    shared = len(mine & theirs)
    if shared < 2 or not _same_trouble(one, other, mine, theirs):
        return False
    of_shorter, of_longer = shared / min(len(mine), len(theirs)), shared / max(len(mine), len(theirs))
    alike = float(one.vector @ other.vector)
    # A name in common is as good as many words: the same bridge, the same street.
    bars = _NAMED if _share_a_name(one.places, other.places) else _UNNAMED
    return of_shorter >= bars.of_shorter and of_longer >= bars.of_longer and alike >= bars.alike


def _same_trouble(one: Matter, other: Matter, mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether something is shared besides the names and the words of the theme itself."""
    given = typical_words(one.themes[0][0]) | {
        word for places in (one.places, other.places) for word in _words_of(places)
    }
    rest, others = mine - given, theirs - given
    return len(rest & others) >= _TROUBLE * min(len(rest), len(others))


def _words_of(places: Places) -> set[str]:
    return {word for names in (*places.inside, places.names) for name in names for word in name.split()}


def _contrary(one: Matter, other: Matter) -> bool:
    """Whether the texts name different sides of the matter, or one is a person's own case."""
    aspects = _aspects()
    mine, theirs = _spoken(one.text), _spoken(other.text)
    for kind in ("what", "wrong"):
        sides = [
            {side for side, phrases in aspects[kind].items() if _has(text, phrases)}
            for text in (mine, theirs)
        ]
        if sides[0] and sides[1] and not sides[0] & sides[1]:
            return True
    own = aspects["own"]
    return one.themes[0][0] in own["themes"] and (_has(mine, own["words"]) or _has(theirs, own["words"]))


def _spoken(text: str) -> str:
    return f" {' '.join(words(text.lower()))} "


def _has(text: str, phrases: Iterable[str]) -> bool:
    return any(f" {phrase} " in text for phrase in phrases)


@cache
def _aspects() -> dict[str, Any]:
    return tomllib.loads(files("core.topics").joinpath("aspects.toml").read_text("utf-8"))


def telling_words(text: str) -> frozenset[str]:
    """The folded words of a text that say what it is about."""
    return frozenset(words(fold(text))) - _LIGHT


def _elsewhere(one: Places, other: Places) -> bool:
    if one.commune and other.commune and one.commune != other.commune:
        return True
    if one.names and other.names:
        common = len(one.names & other.names)
        if common < _SAME_NAME * min(len(one.names), len(other.names)):
            return True
    return any(
        mine and theirs and not mine & theirs
        for mine, theirs in zip((*one.inside, one.numbered), (*other.inside, other.numbered), strict=True)
    )


def _share_a_name(one: Places, other: Places) -> bool:
    kinds = zip(
        (*one.inside, one.numbered, one.names), (*other.inside, other.numbered, other.names), strict=True
    )
    return any(mine & theirs for mine, theirs in kinds)

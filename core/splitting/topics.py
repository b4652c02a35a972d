"""What a clause is about, by the things that it names."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from core.places.tokens import Token, aligned_fold, marks


@dataclass(frozen=True, slots=True)
class Thing:
    """A named thing: `topic`, and token indexes in the text."""

    topic: str
    first: int
    last: int


@cache
def _lexicon() -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...], str]]]:
    """Folded first word -> (words, folded words, topic), longest first."""
    tables = tomllib.loads(files("core.splitting").joinpath("topics.toml").read_text("utf-8"))
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], str]]] = {}
    for topic, table in tables.items():
        for phrase in table["things"]:
            words = tuple(phrase.split())
            folded = tuple(aligned_fold(phrase).split())
            found.setdefault(folded[0], []).append((words, folded, topic))
    for phrases in found.values():
        phrases.sort(key=lambda p: -len(p[0]))
    return found


@cache
def connectives() -> dict[str, frozenset[tuple[str, ...]]]:
    """The word lists of `connectives.toml`, each phrase as its words."""
    lists = tomllib.loads(files("core.splitting").joinpath("connectives.toml").read_text("utf-8"))
    return {name: frozenset(tuple(p.split()) for p in phrases) for name, phrases in lists.items()}


# Single words that, typed without diacritics, are mostly something else ("cho", "mang").
_UNSURE_BARE = frozenset({"cho", "ke", "mang", "dap", "gao"})


def things(tokens: Sequence[Token]) -> list[Thing]:
    """Things in text order, the longest phrase at each place; phrases of another meaning are passed over."""
    found: list[Thing] = []
    marked = any(marks(token.text) for token in tokens)
    position = 0
    while position < len(tokens):
        hit = _at(tokens, position, marked=marked)
        if hit is None:
            position += 1
            continue
        topic, last = hit
        if topic != "not_things":
            found.append(Thing(topic, position, last))
        position = last
    return found


def _at(tokens: Sequence[Token], position: int, *, marked: bool) -> tuple[str, int] | None:
    for words, folded, topic in _lexicon().get(tokens[position].folded, ()):
        last = position + len(words)
        piece = tokens[position:last]
        if len(piece) < len(words) or any(t.gap.strip() for t in piece[1:]):
            continue
        if not marked and len(folded) == 1 and folded[0] in _UNSURE_BARE:
            continue
        if all(
            _same(t, word, bare, marked=marked) for t, word, bare in zip(piece, words, folded, strict=True)
        ):
            return topic, last
    return None


def _same(token: Token, word: str, folded: str, *, marked: bool) -> bool:
    """In a text with diacritics they must fit (wherever the tone stands); in one without, letters are
    enough.
    """
    return token.folded == folded and (not marked or marks(token.text) == marks(word))

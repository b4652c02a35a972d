"""Cleaned text cut into words that keep their position, with a fold that never changes the length.

Spans that are shown to people must point into the text they wrote, so everything that matches here works
on `aligned_fold`, where character i of the folded text belongs to character i of the cleaned text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from core.text.normal import clean, fold

_WORD = re.compile(r"[^\W_]+")
_GLUED = re.compile(r"([^\W\d_]{1,6})(\d{1,4})")
_BREAKS = frozenset(".;:!?\n")


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `start`/`end` in the cleaned text, the word as typed and folded, and what stood before it."""

    start: int
    end: int
    text: str
    folded: str
    gap: str

    @property
    def breaks(self) -> bool:
        """Whether a sentence or line ends between the word before and this one."""
        return any(c in _BREAKS for c in self.gap)

    @property
    def capital(self) -> bool:
        """Whether the word starts with a capital letter or is a number."""
        return self.text[0].isupper() or self.text[0].isdigit()


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    folded = fold(character)
    if len(folded) == 1:
        return folded
    lower = character.lower()
    return lower if len(lower) == 1 else character


def aligned_fold(text: str) -> str:
    """Lower case without diacritics, exactly as long as `text` (which should be `clean`ed, so NFC)."""
    return "".join(map(_fold_character, text))


def tokenize(text: str) -> list[Token]:
    """The words of a cleaned text in order; a letter stuck to a number ("P12") becomes two words."""
    folded = aligned_fold(text)
    tokens: list[Token] = []
    end = 0
    for match in _WORD.finditer(text):
        for start, stop in _letters_and_digits(match.group(), match.start()):
            tokens.append(Token(start, stop, text[start:stop], folded[start:stop], text[end:start]))
            end = stop
    return tokens


def _letters_and_digits(word: str, offset: int) -> list[tuple[int, int]]:
    glued = _GLUED.fullmatch(word)  # P12, thôn3, km5; other mixtures are codes, not places
    if glued is None:
        return [(offset, offset + len(word))]
    middle = offset + glued.start(2)
    return [(offset, middle), (middle, offset + len(word))]


@lru_cache(maxsize=32768)
def marks(syllable: str) -> str:
    """The diacritics of one syllable, sorted: equal for `hòa` and `hoà`, empty for `hoa`."""
    decomposed = unicodedata.normalize("NFD", syllable.casefold())
    return "".join(sorted(c for c in decomposed if c == "đ" or unicodedata.combining(c)))


def without_marks(text: str) -> str:
    """The text as people type it without diacritics: capitals and everything else stay."""
    cleaned = clean(text)
    folded = aligned_fold(cleaned)
    return "".join(f.upper() if c.isupper() else f for c, f in zip(cleaned, folded, strict=True))


def is_cased(text: str) -> bool:
    """Whether capital letters in a text mean something: it has some, and small letters as well."""
    capitals = sum(c.isupper() for c in text)
    small = sum(c.islower() for c in text)
    return 0 < capitals <= small

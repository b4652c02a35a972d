"""From what was typed to what can be read and embedded: cleaned, chat spellings written out, marks restored."""

from __future__ import annotations

from dataclasses import dataclass

from core.text.normal import clean, fold, words
from core.text.restoration import Restorer
from core.text.teencode import expand_teencode

# In ordinary Vietnamese about 7 words in 10 carry a mark; below this share the text was typed without them.
_MARKED_SHARE = 0.25


@dataclass(frozen=True)
class Reading:
    """`original` is the text as typed, untouched; `text` is for reading and embedding.

    `restored` says whether diacritics were put in; `confidence` (0 to 1) is the restorer's, 1 without it.
    """

    original: str
    clean: str
    text: str
    restored: bool
    confidence: float


def typed_without_marks(text: str) -> bool:
    """Whether too few words carry diacritics for them to have been typed on purpose."""
    found = [word for word in words(text) if word.isalpha()]
    marked = sum(fold(word) != word.lower() for word in found)
    return bool(found) and marked < _MARKED_SHARE * len(found)


def read(raw: str, restorer: Restorer) -> Reading:
    """Clean, write out chat spellings, and restore diacritics only where they are missing throughout."""
    cleaned = clean(raw)
    expanded = expand_teencode(cleaned)
    if not typed_without_marks(cleaned):
        return Reading(raw, cleaned, expanded, False, 1.0)
    restored = restorer.restore(expanded)
    return Reading(raw, cleaned, restored.text, True, restored.confidence)

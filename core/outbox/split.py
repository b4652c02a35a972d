"""Cut a long text into messages that a platform takes, at the best place before the limit."""

from __future__ import annotations

import re
import unicodedata

# Best place first: between paragraphs, lines, sentences, clauses, words.
_BREAKS = (
    re.compile(r"\n{2,}"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])\s+"),
    re.compile(r"(?<=[,;:])\s+"),
    re.compile(r"\s+"),
)
# A cut nearer to the start than this share of the limit would make a stub of a message.
_LEAST_SHARE = 0.5


def split_text(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` characters (NFC) that together say the whole text; at least one part.

    White space at a cut is dropped; nothing else is. A grapheme (letter with its marks, joined emoji)
    is cut only when it alone is longer than the limit.
    """
    if limit < 1:
        raise ValueError("limit must be positive")
    rest = unicodedata.normalize("NFC", text).strip()
    parts: list[str] = []
    while len(rest) > limit:
        end = _best_cut(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest or not parts:
        parts.append(rest)
    return parts


def _best_cut(text: str, limit: int) -> int:
    window = text[: limit + 1]
    for pattern in _BREAKS:
        ends = [match.start() for match in pattern.finditer(window) if match.start() <= limit]
        if ends and ends[-1] >= limit * _LEAST_SHARE:
            return ends[-1]
    cut = limit
    while cut > 1 and _continues(text, cut):
        cut -= 1
    return cut if cut > 1 else limit


def _continues(text: str, index: int) -> bool:
    """Whether the character at `index` belongs to the grapheme before it."""
    joiner = "\u200d"
    here = text[index]
    return bool(unicodedata.combining(here)) or here in ("\ufe0f", joiner) or text[index - 1] == joiner

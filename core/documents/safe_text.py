"""Text of citizens made harmless for the formats that it goes into."""

from __future__ import annotations

import re

# Characters that XML 1.0 forbids, and lone surrogates, which no encoding can write.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """The text without characters that a document cannot hold."""
    return _FORBIDDEN.sub("", text)


def inert(text: str) -> str:
    """The text so that a spreadsheet never runs it as a formula: a leading apostrophe where it could.

    Only needed where cells have no types (CSV); in XLSX strings are written as strings.
    """
    clean = printable(text)
    return "'" + clean if clean.lstrip(" ").startswith(_FORMULA_STARTS) else clean

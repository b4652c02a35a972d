"""Clean what people type without changing what they say, and fold it for matching.

`clean` keeps the words, the tone marks as typed and the emoji; `fold` is the explicit, separate step that
drops diacritics (`đ` does not decompose and is mapped by hand).
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_AROUND_NEWLINE = re.compile(r" *\n *")
_WORD = re.compile(r"[^\W_]+")
# Joiners inside emoji and the emoji presentation selector carry meaning; other format characters do not.
_KEPT_FORMAT = frozenset("\u200d\ufe0f")
# A joiner or selector that follows no pictograph joins nothing (people hide words from filters with them).
_IDLE_FORMAT = re.compile("(?<![\u2000-\u32ff\U0001f000-\U0001faff\ufe0f\u200d])[\u200d\ufe0f]+")
_VARIATION = ((0x180B, 0x180F), (0xFE00, 0xFE0E), (0xE0100, 0xE01EF))
# Styled letters (bold, script, circled …) are NFKC-compatible to plain ones; other compatibility
# characters (½, ², ligatures in names) are left as written.
_STYLED_BLOCKS = ((0x1D400, 0x1D7FF), (0x24B6, 0x24E9), (0xFF01, 0xFF5E), (0x1F130, 0x1F149))
_DIACRITICS = frozenset("àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ")


def clean(raw: str) -> str:
    """NFC text without control, invisible or styled characters, spaces collapsed, at most one blank line.

    Never raises, whatever the input (lone surrogates included); cleaning twice changes nothing.
    """
    text = "".join(_plain(c) for c in raw.replace("\r\n", "\n").replace("\r", "\n"))
    # Composed last: a removed character may bring a base and its mark together.
    text = unicodedata.normalize("NFC", _IDLE_FORMAT.sub("", text))
    text = _AROUND_NEWLINE.sub("\n", _SPACES.sub(" ", text))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _plain(character: str) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F or character in "\n\t":
        return character
    if any(low <= code <= high for low, high in _STYLED_BLOCKS):
        return unicodedata.normalize("NFKC", character)
    if any(low <= code <= high for low, high in _VARIATION):
        return ""
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Cn", "Co") or (category == "Cf" and character not in _KEPT_FORMAT):
        return ""
    if category in ("Zs", "Zl", "Zp"):
        return "\n" if category in ("Zl", "Zp") else " "
    return character


def fold(text: str) -> str:
    """Lower case without diacritics, for matching; one space between words, newlines kept."""
    decomposed = unicodedata.normalize("NFD", clean(text).casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("đ", "d")
    return clean(bare)


def words(text: str) -> list[str]:
    """The letters-and-digits runs of a text, in order."""
    return _WORD.findall(clean(text))


def is_mostly_undiacritised(text: str) -> bool:
    """Whether a text of some length is typed without diacritics (fewer than 3 in 100 letters have one)."""
    letters = [c for c in clean(text).casefold() if c.isalpha()]
    marked = sum(c in _DIACRITICS for c in letters)
    return len(letters) >= 4 and marked < 0.03 * len(letters)

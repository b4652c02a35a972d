"""Chat spellings ("ko", "dc", "ntn") to the words meant, with context rules for the ambiguous ones.

The table is `teencode.toml` beside this file. Words that are ordinary Vietnamese, with or without diacritics
("hong" may be "hỏng"), are left alone.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from core.text.normal import clean

_TOKEN = re.compile(r"[^\W_]+|[\W_]+")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_VOWELS = "aăâeêioôơuưyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
_TONED = {
    toned: group[0]
    for group in ("aáàảãạ", "eéèẻẽẹ", "iíìỉĩị", "oóòỏõọ", "uúùủũụ", "yýỳỷỹỵ")
    for toned in group[1:]
}
# No Vietnamese syllable ends in a vowel and a lone g: "đườg", "khôg" lost their n.
_LOST_N = re.compile(rf"^(\w*[{_VOWELS}])g$", re.IGNORECASE)
_LETTERS = ((re.compile(rf"^f(?=[{_VOWELS}])"), "ph"), (re.compile(r"^w(?=[áàảãạuyý])"), "qu"))


@dataclass(frozen=True)
class _Rule:
    means: str
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None

    def fits(self, previous: str, following: str) -> bool:
        if self.before is not None and not self.before.match(previous):
            return False
        return self.after is None or bool(self.after.match(following))


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, str], dict[str, list[_Rule]]]:
    raw = tomllib.loads(files(__package__).joinpath("teencode.toml").read_text(encoding="utf-8"))
    rules: dict[str, list[_Rule]] = {}
    for entry in raw["depends"]:
        patterns = (re.compile(entry[side]) if side in entry else None for side in ("before", "after"))
        rules.setdefault(entry["word"], []).append(_Rule(entry["means"], *patterns))
    return raw["always"], rules


def expand_teencode(text: str) -> str:
    """The cleaned text with chat spellings written out; upper-case abbreviations count too ("BHYT").

    Never raises; a text without chat spellings comes back cleaned and otherwise unchanged.
    """
    tokens = _TOKEN.findall(clean(text))
    places = [i for i, token in enumerate(tokens) if token[0].isalnum()]
    lowered = [tokens[i].lower() for i in places]
    for at, i in enumerate(places):
        previous = lowered[at - 1] if at else ""
        following = lowered[at + 1] if at + 1 < len(places) else ""
        tokens[i] = _expand(tokens[i], previous, following)
    return "".join(tokens)


def _expand(token: str, previous: str, following: str) -> str:
    always, rules = _table()
    word = token.lower()
    meant = always.get(word)
    if meant is None:
        meant = next((r.means for r in rules.get(word, ()) if r.fits(previous, following)), None)
    if meant is None:
        meant = _respell(word)
        if meant == word:
            return token
    return meant[:1].upper() + meant[1:] if token[0].isupper() and not token.isupper() else meant


def _respell(word: str) -> str:
    """Letters that only chat uses: stretched vowels, a lost n, f for ph, w for qu."""
    word = _STRETCHED.sub(r"\1", word)
    # "quáaaa" is now "quáa": the plain letter only drags on the marked one before it.
    if len(word) > 2 and _TONED.get(word[-2]) == word[-1]:
        word = word[:-1]
    lost = _LOST_N.match(word)
    if lost and len(word) > 2:
        word = f"{lost[1]}ng"
    for pattern, plain in _LETTERS:
        word = pattern.sub(plain, word)
    return word

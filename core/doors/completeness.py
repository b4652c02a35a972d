"""Whether a concern is too thin to act on, and the one question that would help most.

Conservative: a needless question costs more patience than a missing detail, so anything with a recognisable
object passes, and a place is only asked for when the text points at one without naming it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from core.doors.features import find_ideas
from core.places.answers import FoundPlaces
from core.places.tokens import Token, marks, tokenize
from core.text.normal import clean

Missing = Literal["object", "place", "wish"]

_HERE = re.compile(
    r"\b(?:o day|cho nay|cho toi|nha toi|xom toi|thon toi|ban toi|khu toi|truoc nha|sau nha|gan nha)\b"
)
LONG_WORDS = 12


@cache
def _lists() -> dict[str, frozenset[str]]:
    raw = tomllib.loads(files("core.doors").joinpath("thin.toml").read_text("utf-8"))
    return {name: frozenset(words) for name, words in raw.items()}


@dataclass(frozen=True, slots=True)
class MissingDetail:
    """The one thing to ask for; `question` is the key of its wording in the citizens' catalogue."""

    what: Missing

    @property
    def question(self) -> str:
        """Key in the citizens' catalogue."""
        return f"detail.{self.what}"


def missing_detail(text: str, places: FoundPlaces) -> MissingDetail | None:
    """What a message lacks to be acted on; None when it can be passed on as it is. Pure, never raises."""
    tokens = tokenize(clean(text))
    words = [t for t in tokens if not t.text.isdigit()]
    telling = [t for t in words if t.folded not in _lists()["empty"] or _other_word(t)]
    ideas = {hit.idea for hit in find_ideas(clean(text))}
    if "matter" not in ideas and len(telling) <= 1:
        return MissingDetail("object")
    if len(words) > LONG_WORDS:
        return None
    folded = {t.folded for t in words}
    if len(telling) <= 2 and not folded & _lists()["bad"] and "ask_for" not in ideas:
        return MissingDetail("wish")
    if (
        places.empty
        and folded & _lists()["placed"]
        and len(words) <= 6
        and not _HERE.search(" ".join(t.folded for t in words))
    ):
        return MissingDetail("place")
    return None


def _other_word(token: Token) -> bool:
    """A word that only without its diacritics is empty ("cầu", "mỏ"): with them it tells something."""
    return bool(marks(token.text)) and token.text.casefold() in {
        "cầu",
        "mỏ",
        "lở",
        "độc",
        "cá",
        "cỏ",
        "mương",
        "chợ",
    }

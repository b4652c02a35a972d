"""What the door model sees in a message: ideas (with the words that express them), their company, and
wording.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from core.doors.personal import find_personal_data
from core.places.tokens import Token, tokenize

_MONEY = re.compile(
    r"\d[\d.,]*\s?(?:k|tr|trieu|củ|cu|nghin|ngan|dong|ty|vnd|lit)\b"
    r"|(?:may chuc|bac|gan tram|muoi|tram|chuc)(?: \w+)? (?:trieu|nghin)"
    r"|\d{1,3}(?:\.\d{3}){2,}"
)
_LINK = re.compile(r"https?://|www\.|\b[\w-]+\.(?:com|vn|net|top|ly|me)\b")
_SENTENCE_END = frozenset(".!?;\n")
# Ideas that mean something only together in one sentence.
_TOGETHER = (
    ("official", "bribe"),
    ("official", "embezzle"),
    ("official", "fraud"),
    ("official", "violence"),
    ("person", "bribe"),
    ("person", "embezzle"),
    ("person", "fraud"),
    ("person", "violence"),
    ("named", "bribe"),
    ("named", "embezzle"),
    ("named", "fraud"),
    ("named", "violence"),
    ("money", "bribe"),
    ("money", "embezzle"),
    ("official", "punish"),
    ("official", "report_crime"),
    ("decision", "own"),
    ("decision", "review"),
    ("own", "review"),
    ("complain", "decision"),
    ("complain", "own"),
    ("complain", "how_to"),
    ("report_crime", "how_to"),
    ("now_danger", "help_now"),
    ("now_danger", "danger_in_general"),
    ("insult", "matter"),
    ("advert", "phone"),
    ("advert", "link"),
    ("official", "money"),
    ("official", "praise"),
    ("embezzle", "general"),
    ("embezzle", "ask_for"),
)
_TRIPLES = (("decision", "own", "review"), ("official", "money", "bribe"), ("official", "own", "bribe"))
_MOST_SKIPPED = 3
# A denunciation tells of somebody and of a wrong.
WRONGS = frozenset({"bribe", "embezzle", "fraud", "violence", "report_crime", "punish"})
SOMEONE = frozenset({"official", "person", "named", "report_crime"})


@dataclass(frozen=True, slots=True)
class Hit:
    """An idea found in the text; `start`/`end` in the cleaned text."""

    idea: str
    start: int
    end: int
    sentence: int


@cache
def concept_names() -> dict[str, str]:
    """Vietnamese name of every idea, for staff."""
    return {name: str(table["vi"]) for name, table in _tables().items()}


@cache
def _tables() -> dict[str, dict[str, object]]:
    return tomllib.loads(files("core.doors").joinpath("concepts.toml").read_text("utf-8"))


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """First word -> phrases with their idea, longest first."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for idea, table in _tables().items():
        words = table["words"]
        assert isinstance(words, list)
        for phrase in dict.fromkeys(words):
            parts = tuple(phrase.split())
            found.setdefault(parts[0], []).append((parts, idea))
    for phrases in found.values():
        phrases.sort(key=lambda p: -len(p[0]))
    return found


def find_ideas(text: str) -> list[Hit]:
    """Every idea in a cleaned text; for one idea the longest phrase at a place."""
    tokens = tokenize(text)
    sentences = _sentence_numbers(tokens)
    hits: list[Hit] = []
    for position, token in enumerate(tokens):
        seen: set[str] = set()
        for parts, idea in _phrases().get(token.folded, ()):
            if idea in seen:
                continue
            last = _matches(tokens, sentences, position, parts)
            if last is not None:
                seen.add(idea)
                hits.append(Hit(idea, token.start, tokens[last].end, sentences[position]))
    return hits + _patterns(text, tokens, sentences)


def _sentence_numbers(tokens: list[Token]) -> list[int]:
    number, numbers = 0, []
    for token in tokens:
        if any(c in _SENTENCE_END for c in token.gap):
            number += 1
        numbers.append(number)
    return numbers


def _matches(tokens: list[Token], sentences: list[int], start: int, parts: tuple[str, ...]) -> int | None:
    position = start
    for index, part in enumerate(parts[1:], 1):
        if part == "*":
            continue
        reach = _MOST_SKIPPED + 1 if parts[index - 1] == "*" else 1
        for step in range(1, reach + 1):
            following = position + step
            if following < len(tokens) and tokens[following].folded == part:
                position = following
                break
        else:
            return None
        if sentences[position] != sentences[start]:
            return None
    return position


def _patterns(text: str, tokens: list[Token], sentences: list[int]) -> list[Hit]:
    folded = "".join(t.gap + t.folded for t in tokens)
    shift = 0 if not tokens else tokens[0].start - len(tokens[0].gap)
    found = [("money", m.start() + shift, m.end() + shift) for m in _MONEY.finditer(folded)]
    found += [("link", m.start(), m.end()) for m in _LINK.finditer(text.casefold())]
    found += [("named" if d.kind == "person" else "phone", d.start, d.end) for d in find_personal_data(text)]
    hits = []
    for idea, start, end in found:
        number = next((n for t, n in zip(tokens, sentences, strict=True) if t.end > start), 0)
        hits.append(Hit(idea, start, end, number))
    return hits


def features(text: str, hits: list[Hit]) -> dict[str, float]:
    """Feature name to value. `i:` ideas, `t:` ideas together in a sentence, `w:` folded words and pairs."""
    values: dict[str, float] = {}
    by_sentence: dict[int, set[str]] = {}
    for hit in hits:
        values[f"i:{hit.idea}"] = min(values.get(f"i:{hit.idea}", 0.0) + 0.6, 1.2)
        by_sentence.setdefault(hit.sentence, set()).add(hit.idea)
    for ideas in by_sentence.values():
        for combination in (*_TOGETHER, *_TRIPLES):
            if ideas.issuperset(combination):
                values["t:" + "+".join(combination)] = 1.0
    whole = {hit.idea for hit in hits}
    for combination in _TRIPLES:
        if whole.issuperset(combination):
            values["a:" + "+".join(combination)] = 1.0
    words = [t.folded if not t.folded.isdigit() else "0" for t in tokenize(text)]
    values["l:short"] = 1.0 if len(words) <= 4 else 0.0
    values["l:no_matter"] = 0.0 if "matter" in whole else 1.0
    values["l:question"] = 1.0 if "?" in text else 0.0
    return values | _wording(words)


def _wording(words: list[str]) -> dict[str, float]:
    counts = {f"w:{w}" for w in words} | {f"w:{a} {b}" for a, b in pairwise(words)}
    weight = 1.0 / max(len(counts), 1) ** 0.5
    return dict.fromkeys(counts, weight)

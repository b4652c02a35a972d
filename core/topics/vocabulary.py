"""What teaches the themes: the field model's examples by block, and the subjects of vocabulary.toml."""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from core.fields.generator import Example, Writer
from core.text.normal import fold, words

_SEED = 11
_PROBLEM = "!"
_TYPICAL = 0.15


class Said(NamedTuple):
    """A text that is about a theme; a theme is `FIELD/NAME`."""

    text: str
    theme: str


@cache
def _settings() -> Mapping[str, Any]:
    return tomllib.loads(_source("themes.toml"))


def _source(name: str) -> str:
    return files("core.topics").joinpath(name).read_text("utf-8")


def digest() -> str:
    """A short hash of everything in the files of this room that training depends on."""
    return hashlib.sha256((_source("themes.toml") + _source("vocabulary.toml")).encode()).hexdigest()[:16]


def theme_of(example: Example) -> str | None:
    """The theme of one of the field model's examples; None for a bare subject and for a block of several."""
    field, block, _ = example.matter.split("/")
    return None if block in _settings()["mixed"]["blocks"] else _merged(f"{field}/{block}")


def _merged(name: str) -> str:
    merged: str = _settings()["merge"].get(name, name)
    return merged


def subjects(*, rounds: int) -> list[Said]:
    """Every subject of the vocabulary in up to `rounds` messages around it, without doubles, always the same."""
    writer = Writer(_SEED)
    found = [
        Said(writer.about(line.removeprefix(_PROBLEM).strip(), problem=line.startswith(_PROBLEM)), theme)
        for theme, line in _lines()
        for _ in range(rounds)
    ]
    return list(dict.fromkeys(found))


@cache
def typical_words(theme: str) -> frozenset[str]:
    """Folded words that name the theme itself ("trạm", "y", "tế"): they are in many of its subjects."""
    lines = [set(words(fold(line))) for name, line in _lines() if name == theme]
    seen = Counter(word for line in lines for word in line)
    return frozenset(word for word, count in seen.items() if count >= _TYPICAL * len(lines))


@cache
def _lines() -> list[tuple[str, str]]:
    raw = tomllib.loads(_source("vocabulary.toml"))
    return [
        (_merged(f"{field}/{block}"), line)
        for field, blocks in raw.items()
        for block, lines in blocks.items()
        for line in lines
    ]

"""Training texts of the field classifier, made from our own templates by a seeded random choice.

A template file (`examples/CODE.txt`) holds blocks (`== name`) of lines: `P` a problem, `R` a wish as a verb
phrase, `Q` or `S` a whole message, `K` bare subjects between semicolons. `[a|b|]` is a choice, `{thon}` a
slot; `_frames.toml` holds the slots' names and what people say around the matter. None of the measuring
data is used here.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_FOLDER = "examples"
_VERSION = "1"


@dataclass(frozen=True)
class Example:
    """One generated message; `matter` names the template line it came from (`CODE/block/number`)."""

    text: str
    field: str
    matter: str


@dataclass
class _Block:
    name: str
    problems: list[str] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)
def _frames() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(_FOLDER, "_frames.toml").read_text(encoding="utf-8"))


def _source(code: str) -> str:
    return files(__package__).joinpath(_FOLDER, f"{code}.txt").read_text(encoding="utf-8")


def _blocks(code: str) -> list[_Block]:
    blocks: list[_Block] = []
    for number, line in enumerate(_source(code).splitlines(), 1):
        kind, _, rest = line.strip().partition(" ")
        if not kind or kind == "#":
            continue
        if kind == "==":
            blocks.append(_Block(rest))
        elif kind == "K" and blocks:
            blocks[-1].topics.extend(topic.strip() for topic in rest.split(";"))
        elif kind in "PRQS" and rest and blocks:
            block = blocks[-1]
            {"P": block.problems, "R": block.wishes}.get(kind, block.whole).append(rest.strip())
        else:
            raise ValueError(f"examples/{code}.txt line {number}: cannot read {line!r}")
    return blocks


def templates_digest(codes: tuple[str, ...]) -> str:
    """A short hash of everything that the generated texts depend on, for cache keys."""
    digest = hashlib.sha256(_VERSION.encode())
    for name in (*sorted(codes), "_frames"):
        suffix = "toml" if name == "_frames" else "txt"
        digest.update(files(__package__).joinpath(_FOLDER, f"{name}.{suffix}").read_bytes())
    return digest.hexdigest()[:16]


class Writer:
    """Fills templates with a random generator of its own; the same seed writes the same texts."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._slots: dict[str, list[str]] = _frames()["slots"]
        self._say: dict[str, list[str]] = _frames()["frames"]

    def fill(self, template: str) -> str:
        """One wording of a template: choices taken, slots filled, spaces tidied."""
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda m: self._random.choice(m[1].split("|")), template, count=1)
        text = _SLOT.sub(lambda m: self._slot(m[1]), template)
        return re.sub(r"\s+([,.;?])", r"\1", " ".join(text.split()))

    def _pick(self, name: str) -> str:
        return self._random.choice(self._slots[name])

    def _slot(self, name: str) -> str:
        number = self._random.randint(2, 60)
        match name:
            case "thon":
                if self._random.random() < 0.35:
                    return self._pick("thon_plain")
                own = self._pick("hamlet_names") if self._random.random() < 0.8 else str(number % 15 + 1)
                return f"{self._pick('thon_kind')} {own}"
            case "ten":
                return self._pick("hamlet_names")
            case "xa":
                return f"{self._random.choice(['xã', 'xã', 'phường'])} {self._pick('hamlet_names')}"
            case "song":
                return f"{self._random.choice(['sông', 'suối', 'sông'])} {self._pick('rivers')}"
            case "truong":
                return f"{self._pick('schools')} {self._pick('hamlet_names')}"
            case "nguoi":
                return self._pick("people")
            case "n":
                return str(number % 12 + 1) if self._random.random() < 0.7 else str(number)
            case "nam":
                return str(self._random.randint(1986, 2024))
            case _:
                named = {"duong": "streets", "ql": "highways", "lau": "since", "tien": "money"}[name]
                return self._pick(named)

    def _frame(self, name: str, **parts: str) -> str:
        template = self._random.choice(self._say[name])
        for key, value in parts.items():
            template = template.replace("{" + key + "}", value)
            template = template.replace("{" + key.upper() + "}", value[:1].upper() + value[1:])
        for name_ in ("who", "body"):
            if "{" + name_ + "}" in template:
                template = template.replace("{" + name_ + "}", self._random.choice(self._say[name_]))
        return self.fill(template)

    def message(self, block: _Block, line: str, kind: str) -> str:
        """A message around one template line: as it stands, with a wish, with a second problem, with manners."""
        said = self.fill(line)
        if kind == "P":
            said = self._around_problem(block, line, said)
        elif kind == "R":
            wish = self._frame("wish", r=said)
            if block.problems and self._random.random() < 0.3:
                problem = self.fill(self._random.choice(block.problems))
                said = self._frame("both", p=problem, w=wish, r=said)
            else:
                said = wish
        elif kind == "K":
            said = self._frame("topic", k=said)
        if self._random.random() < 0.45:
            said = self.fill(self._random.choice(self._say["opening"])) + " " + said
            said += self._random.choice(self._say["closing"])
        return self._finish(said)

    def about(self, subject: str, *, problem: bool) -> str:
        """A message about a bare subject, or around a problem told as a clause."""
        return self.message(_Block(""), subject, "P" if problem else "K")

    def _around_problem(self, block: _Block, line: str, said: str) -> str:
        draw = self._random.random()
        others = [p for p in block.problems if p != line]
        wish = self.fill(self._random.choice(block.wishes)) if block.wishes else ""
        if wish and draw < 0.3:
            return self._frame("both", p=said, w=self._frame("wish", r=wish), r=wish)
        if wish and others and draw < 0.42:
            second = self.fill(self._random.choice(others))
            return self._frame("both_problems", p=said, p2=second, w=self._frame("wish", r=wish))
        return self._frame("problem", p=said)

    def _finish(self, text: str) -> str:
        text = " ".join(text.split()).replace("..", ".")
        if self._random.random() < 0.6:
            text = text[:1].upper() + text[1:]
        if self._random.random() < 0.4 and text[-1:].isalnum():
            text += "."
        return text


def generate(codes: tuple[str, ...], *, rounds: int, seed: int) -> Iterator[Example]:
    """`rounds` wordings of every template line of every field, without doubles, in template order."""
    seen: set[str] = set()
    writer = Writer(seed)
    for code in codes:
        for block in _blocks(code):
            lines = [(kind, line) for kind, found in _kinds(block) for line in found]
            for number, (kind, line) in enumerate(lines):
                for _ in range(rounds):
                    text = writer.message(block, line, kind)
                    if text not in seen:
                        seen.add(text)
                        yield Example(text, code, f"{code}/{block.name}/{number}")


def _kinds(block: _Block) -> list[tuple[str, list[str]]]:
    return [("P", block.problems), ("R", block.wishes), ("Q", block.whole), ("K", block.topics)]


def plain_lines(codes: tuple[str, ...], *, rounds: int, seed: int) -> Iterator[str]:
    """The bare template lines in several wordings, without what people say around them (for word statistics)."""
    writer = Writer(seed)
    for code in codes:
        for block in _blocks(code):
            for line in (*block.problems, *block.wishes, *block.whole, *block.topics):
                yield from (writer.fill(line) for _ in range(rounds))

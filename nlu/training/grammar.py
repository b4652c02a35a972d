"""Templates of whole messages: `[this|or that]` chooses, `{name}` takes an entry of the list `@name`.

Written for people to extend: one template a line, `== intent` above those of one intent, `#` for remarks.
Everything is chosen by a generator seeded with the template, so a new line never changes another's examples.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "templates"
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"\{(\w+)\}")
_DEPTH = 12


@dataclass(frozen=True)
class Template:
    """One line of the templates' files."""

    intent: str
    pattern: str


@dataclass(frozen=True)
class Grammar:
    """All lists and templates."""

    lists: dict[str, list[str]]
    templates: list[Template]

    def fill(self, template: Template, count: int) -> list[str]:
        """Up to `count` different messages of a template."""
        rng = random.Random(template.pattern)
        made: dict[str, None] = {}
        for _ in range(count * 4):
            made[self._once(template.pattern, rng)] = None
            if len(made) == count:
                break
        return list(made)

    def _once(self, pattern: str, rng: random.Random) -> str:
        text = pattern
        for _ in range(_DEPTH):
            text = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), text)
            if not _NAME.search(text):
                break
            text = _NAME.sub(lambda m: rng.choice(self.lists[m[1]]), text)
        return re.sub(r" +([,.?!])", r"\1", " ".join(text.split()))


@lru_cache(maxsize=1)
def load() -> Grammar:
    """Read every file of the folder; an unknown list's name is a `KeyError` when it is used."""
    lists: dict[str, list[str]] = {}
    lines: list[tuple[str, str]] = []
    for path in sorted(FOLDER.glob("*.txt")):
        intent = ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("@"):
                name, _, entries = line[1:].partition(":")
                lists[name] = [entry.strip() for entry in entries.split("|")]
            elif line.startswith("== "):
                intent = line[3:].strip()
            elif line.strip() and not line.startswith("#"):
                lines.append((intent, line))
    return Grammar(lists, [Template(intent, line) for intent, line in dict.fromkeys(lines)])

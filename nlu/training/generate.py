"""Make `nlu.yml`: written examples and filled templates, with their rule-made variants."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from training.grammar import load
from training.variants import variants_of

FOLDER = Path(__file__).resolve().parent
# Messages a template; the other intents share `_MESSAGES_AN_INTENT` among their templates.
_MESSAGES_A_TEMPLATE = {"out_of_scope": 12, "raise_concern": 26, "chitchat": 16}
_MESSAGES_AN_INTENT = 330
_LEAST, _MOST = 14, 50
_OTHER_KINDS = (
    "teencode", "unmarked_teencode", "dialect", "mistyped", "addressed", "particle", "shouted",
)  # fmt: skip
# A filled template stands once, in one spelling: about half as people write, a quarter without marks.
_KINDS_OF_FILLED = (
    "written", "written", "written", "unmarked", "unmarked",
    "teencode", "unmarked_teencode", "dialect", "mistyped", "particle",
)  # fmt: skip


def seeds() -> dict[str, list[str]]:
    """Examples written as whole messages, by intent."""
    written: dict[str, list[str]] = {}
    for name in ("seeds.yml", "concerns.yml"):
        with (FOLDER / name).open(encoding="utf-8") as file:
            written |= {intent: [str(t) for t in texts] for intent, texts in yaml.safe_load(file).items()}
    return written


def grouped_examples() -> Iterator[tuple[str, str, str]]:
    """`(text, intent, group)`: examples of one group come from one seed or template, to be left out together."""
    for intent, texts in seeds().items():
        for text in texts:
            made = variants_of(text)
            for kind in ("written", "unmarked", random.Random(text).choice(_OTHER_KINDS)):
                yield _tidy(made[kind]), intent, text
    grammar = load()
    templates_of = Counter(template.intent for template in grammar.templates)
    for template in grammar.templates:
        share = _MESSAGES_AN_INTENT // templates_of[template.intent]
        count = _MESSAGES_A_TEMPLATE.get(template.intent, max(_LEAST, min(_MOST, share)))
        for text in grammar.fill(template, count):
            kind = random.Random(f"{text} {template.pattern}").choice(_KINDS_OF_FILLED)
            yield _tidy(variants_of(text)[kind]), template.intent, template.pattern


def unique_examples() -> Iterator[tuple[str, str, str]]:
    """The same without repetitions; a text under two intents stays with the one that has it first."""
    taken: set[str] = set()
    for text, intent, group in grouped_examples():
        if text and text not in taken:
            taken.add(text)
            yield text, intent, group


def examples() -> dict[str, list[str]]:
    """All training examples by intent."""
    made: dict[str, list[str]] = {}
    for text, intent, _group in unique_examples():
        made.setdefault(intent, []).append(text)
    return made


def write(path: Path) -> int:
    """Write Rasa's training file; returns the number of examples."""
    made = examples()
    blocks = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in made.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        yaml.safe_dump({"version": "3.1", "nlu": blocks}, file, allow_unicode=True, sort_keys=False)
    return sum(len(texts) for texts in made.values())


def _tidy(text: str) -> str:
    # Square brackets and braces are entity marks in Rasa's format, a leading slash an intent's name.
    return " ".join(text.translate(str.maketrans("[]{}", "()()")).split()).lstrip("/")

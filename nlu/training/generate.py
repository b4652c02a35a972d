"""Make `nlu.yml` from the written examples and their rule-made variants."""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from training.variants import variants

FOLDER = Path(__file__).resolve().parent
_CONCERNS = 420


def seeds() -> dict[str, list[str]]:
    """Written examples by intent, concerns composed from their building blocks."""
    with (FOLDER / "seeds.yml").open(encoding="utf-8") as file:
        written: dict[str, list[str]] = {k: [str(t) for t in v] for k, v in yaml.safe_load(file).items()}
    written["raise_concern"] = concern_seeds(random.Random(11))
    return written


def concern_seeds(rng: random.Random) -> list[str]:
    """Whole messages, every matter once as it stands, and compositions of opener, matter, place and closer."""
    with (FOLDER / "concerns.yml").open(encoding="utf-8") as file:
        blocks = yaml.safe_load(file)
    made = [str(t) for t in blocks["wholes"]] + [str(t) for t in blocks["matters"]]
    while len(made) < _CONCERNS:
        matter, place = rng.choice(blocks["matters"]), rng.choice(blocks["places"])
        opener, closer = rng.choice(blocks["openers"]), rng.choice(blocks["closers"])
        body = f"{matter} {place}" if rng.random() < 0.5 else f"{place} {matter}"
        made.append(f"{opener}{body}{closer}")
    return list(dict.fromkeys(made))


def examples() -> dict[str, list[str]]:
    """All training examples by intent; no text stands under two intents (the first written one keeps it)."""
    taken: set[str] = set()
    result: dict[str, list[str]] = {}
    for intent, texts in seeds().items():
        made = [variant for text in texts for variant in variants(text)]
        result[intent] = [text for text in dict.fromkeys(made) if text and text not in taken]
        taken.update(result[intent])
    return result


def write(path: Path) -> int:
    """Write Rasa's training file; returns the number of examples."""
    made = examples()
    blocks = [
        {"intent": intent, "examples": "".join(f"- {_plain(text)}\n" for text in texts)}
        for intent, texts in made.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        yaml.safe_dump({"version": "3.1", "nlu": blocks}, file, allow_unicode=True, sort_keys=False)
    return sum(len(texts) for texts in made.values())


def _plain(text: str) -> str:
    # Square brackets and braces are entity marks in Rasa's format.
    return text.translate(str.maketrans("[]{}", "()()"))

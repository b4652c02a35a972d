"""Made-up messages of one or several matters, for measuring the split while developing (seeded)."""

from __future__ import annotations

import random
from collections.abc import Iterator

from core.doors.samples import Writer, matter_families
from core.splitting.evaluation import SplitRow

_JOINS = (
    ". Ngoài ra ",
    ". Còn chuyện ",
    ". Với lại ",
    "; ",
    ". ",
    "\n",
    ". Thêm nữa ",
    ", với lại ",
    ". Một việc nữa là ",
)
_NUMBERS = ("{n}. ", "{n}) ", "- ", "Thứ {word}, ", "Việc thứ {word}: ")
_WORDS = ("nhất", "hai", "ba", "tư")


def rows(*, count: int, seed: int) -> Iterator[SplitRow]:
    """About a third of one matter, the rest of two or three, joined in the ways that people join them."""
    dice = random.Random(seed)
    writer = Writer(seed)
    families = matter_families()
    for _ in range(count):
        size = dice.choice((1, 2, 2, 3))
        matters = [writer.fill(dice.choice(f.lines)).rstrip(". ") for f in dice.sample(families, size)]
        if size == 1:
            yield SplitRow(matters[0], tuple(matters))
        elif dice.random() < 0.35:
            yield SplitRow(_numbered(dice, matters), tuple(matters))
        else:
            yield SplitRow(_joined(dice, matters), tuple(matters))


def _numbered(dice: random.Random, matters: list[str]) -> str:
    sign = dice.choice(_NUMBERS)
    gap = "\n" if sign == "- " else dice.choice(("\n", " ", ". "))
    return gap.join(sign.format(n=n, word=_WORDS[n - 1]) + m for n, m in enumerate(matters, 1))


def _joined(dice: random.Random, matters: list[str]) -> str:
    text = matters[0]
    for matter in matters[1:]:
        join = dice.choice(_JOINS)
        sentence = join in (". ", "\n")
        text += join + (matter[0].upper() + matter[1:] if sentence else matter[0].lower() + matter[1:])
    return text

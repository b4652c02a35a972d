"""Whether a new concern is surely the same matter as a known one of its place: few offers, right ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.intake.reading import KnownConcern, Reading
from core.text.embedding import Vectors
from core.topics.sameness import LEAST_ALIKE, Matter, Places, same_matter

_COMPARED = 10

Whiten = Callable[[Vectors], Vectors]
WhereIs = Callable[[str], Places]


def most_similar(
    text: str, reading: Reading, known: Sequence[KnownConcern], *, whiten: Whiten, where: WhereIs
) -> KnownConcern | None:
    """The nearest known concern that `same_matter` lets pass; None is common.

    Cost: one matrix product over the known vectors; words and places are compared for the few that are near.
    """
    comparable = [k for k in known if k.themes and len(k.vector) == len(reading.vector)]
    if not reading.vector or not reading.themes or not comparable:
        return None
    rows = np.frombuffer(reading.vector + b"".join(k.vector for k in comparable), dtype="<f4")
    white = whiten(rows.reshape(len(comparable) + 1, -1))
    mine = Matter(text, tuple(reading.themes), white[0], where(text))
    cosines = white[1:] @ white[0]
    for index in (int(i) for i in np.argsort(-cosines)[:_COMPARED]):
        if cosines[index] < LEAST_ALIKE:
            return None
        other = comparable[index]
        if same_matter(mine, Matter(other.text, other.themes, white[index + 1], where(other.text))):
            return other
    return None

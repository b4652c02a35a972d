"""Why concerns are together: the words they share, who is nearest to whom, how close a topic holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.text.embedding import Vectors
from core.topics.sameness import telling_words

_WORDS = 5


@dataclass(frozen=True, slots=True)
class MemberWhy:
    """For one member: words shared with others (as folded), its nearest member's position, how alike (−1 to 1)."""

    words: tuple[str, ...]
    nearest: int | None
    alike: float


def together(texts: Sequence[str], vectors: Vectors) -> list[MemberWhy]:
    """The explanation of every member of one topic; quadratic in its members, for showing a single topic.

    `vectors` are whitened unit rows in the order of `texts`.
    """
    words = [telling_words(text) for text in texts]
    seen = Counter(word for found in words for word in found)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    whys: list[MemberWhy] = []
    for position, found in enumerate(words):
        shared = sorted((w for w in found if seen[w] > 1), key=lambda w: (-seen[w], w))[:_WORDS]
        nearest = int(np.argmax(cosines[position])) if len(texts) > 1 else None
        alike = float(cosines[position, nearest]) if nearest is not None else 1.0
        whys.append(MemberWhy(tuple(shared), nearest, round(alike, 3)))
    return whys


def cohesion(vectors: Vectors) -> float:
    """Mean cosine of the members to their middle, 0 to 1; 1 for a single member."""
    middle = vectors.mean(axis=0)
    length = float(np.linalg.norm(middle))
    return round(length, 3)

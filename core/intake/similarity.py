"""Whether a new concern is surely the same matter as a known one of its place: few offers, right ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.intake.reading import KnownConcern, Reading
from core.text.normal import fold

# Raw e5 similarities all lie in 0.8–0.97; only near-repetitions in the same field pass both bars.
_LEAST_COSINE = 0.93
_LEAST_SHARED = 0.45
_GRAM = 4


def same_matter(text: str, reading: Reading, known: Sequence[KnownConcern]) -> KnownConcern | None:
    """The best known concern above both bars (vector, shared letters), in the same field; None is common.

    Cost: one matrix product over the known vectors, letters compared for the few that pass it.
    """
    comparable = [
        k for k in known if k.field_code == reading.field_code and len(k.vector) == len(reading.vector)
    ]
    if not reading.vector or not comparable:
        return None
    mine = np.frombuffer(reading.vector, dtype="<f4")
    theirs = np.frombuffer(b"".join(k.vector for k in comparable), dtype="<f4").reshape(len(comparable), -1)
    cosines: NDArray[np.float32] = theirs @ mine
    grams = _grams(text)
    for index in (int(i) for i in np.argsort(-cosines)[:10]):
        if cosines[index] < _LEAST_COSINE:
            return None
        if _shared(grams, _grams(comparable[index].text)) >= _LEAST_SHARED:
            return comparable[index]
    return None


def _grams(text: str) -> set[str]:
    folded = " ".join(fold(text).split())
    return {folded[i : i + _GRAM] for i in range(max(1, len(folded) - _GRAM + 1))}


def _shared(one: set[str], other: set[str]) -> float:
    return len(one & other) / min(len(one), len(other))

"""A sound first grouping: average linkage over vectors and shared letters, inside one field and place.

Cost: quadratic in the concerns of one (place, field), which for a commune's session are at most a few
hundred. Larger sessions need the neighbour graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.text.normal import fold

# Chosen on written paraphrase sets: higher merges different matters of the same field.
_CUT = 0.62
_LETTERS = 0.35
_LEAST_TO_CENTRE = 8


@dataclass(frozen=True, slots=True)
class GroupInput:
    """One concern to group. `block` keeps apart what may never be merged (another place or field)."""

    concern_id: int
    text: str
    block: tuple[str, ...]
    vector: NDArray[np.float32]


def group(items: Sequence[GroupInput]) -> list[list[int]]:
    """Concern ids by group, in the order of their first member; every id is in exactly one group."""
    if not items:
        return []
    vectors = _centred(np.stack([item.vector for item in items]))
    blocks: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, item in enumerate(items):
        blocks[item.block].append(position)
    groups = [members for positions in blocks.values() for members in _group_block(items, vectors, positions)]
    return sorted(
        ([items[p].concern_id for p in sorted(members)] for members in groups), key=lambda ids: ids[0]
    )


def _centred(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raw e5 vectors share one large direction; without it similarities mean something."""
    if len(vectors) >= _LEAST_TO_CENTRE:
        vectors = vectors - vectors.mean(axis=0)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    centred: NDArray[np.float32] = vectors / np.maximum(norms, 1e-9)
    return centred


def _group_block(
    items: Sequence[GroupInput], vectors: NDArray[np.float32], positions: Sequence[int]
) -> list[list[int]]:
    if len(positions) == 1:
        return [list(positions)]
    # Two seconds to import: not at the start of every command.
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    mine = vectors[np.asarray(positions)]
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    grams = letters.fit_transform([fold(items[p].text) for p in positions])
    similarity = (1 - _LETTERS) * (mine @ mine.T) + _LETTERS * (grams @ grams.T).toarray()
    labels = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=_CUT
    ).fit_predict(np.clip(1.0 - similarity, 0.0, None))
    found: dict[int, list[int]] = defaultdict(list)
    for position, label in zip(positions, labels, strict=True):
        found[int(label)].append(position)
    return list(found.values())


def representative(items: Sequence[GroupInput]) -> int:
    """The concern id nearest to the middle of its group."""
    vectors = np.stack([item.vector for item in items])
    return items[int(np.argmax(vectors @ vectors.mean(axis=0)))].concern_id

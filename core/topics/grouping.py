"""Which concerns one answer would settle: their theme decides, their vectors say who is doubtful, and large themes
fall apart into topics by the neighbour graph.

Cost: one pass over the concerns, then work inside each theme. A theme of m concerns costs m² short products up to
`_EXACT` and about m·log m above; sessions of 100,000 have about a thousand concerns a theme.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.text.embedding import Vectors
from core.topics.themes import Themes, field_of

# Below FIRM a theme must be borne out by its neighbours, below FAINT by close ones.
FIRM, FAINT = 0.3, 0.12
_NEAR, _CLOSE = 0.05, 0.22
_WITNESSES = 2
# Concerns whose theme we do not know belong together only when they nearly say the same.
_ALIKE = 0.5
# A topic that nobody reads to its end is no topic: larger themes are cut along their neighbour graph.
LARGEST = 80
_NEIGHBOURS = 12
_EXACT = 20_000
_CELLS_SEARCHED = 8
_SAME_PLACE = 0.1


@dataclass(frozen=True, slots=True)
class Item:
    """What grouping knows of a concern besides its vector; `place` is its commune's code or empty."""

    themes: Themes
    field_code: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Positions of the members in ascending order; the doubtful ones are for review first."""

    theme: str | None
    members: tuple[int, ...]
    doubtful: frozenset[int] = frozenset()


def group(items: Sequence[Item], vectors: Vectors, *, seed: int = 7) -> list[Group]:
    """Every position in exactly one group, groups in the order of their first member.

    `vectors` are whitened unit rows, shape `(len(items), dim)`. The same input and seed give the same groups.
    """
    by_theme: dict[str, list[int]] = defaultdict(list)
    for position, item in enumerate(items):
        by_theme[item.themes[0][0] if item.themes else ""].append(position)
    unplaced = by_theme.pop("", [])
    groups: list[Group] = []
    for theme, positions in by_theme.items():
        kept, doubtful, left = _borne_out(items, vectors, positions)
        unplaced += left
        groups += _topics(items, vectors, theme, kept, doubtful, seed=seed)
    groups += _alike(items, vectors, sorted(unplaced), seed=seed)
    return sorted(groups, key=lambda found: found.members[0])


def _borne_out(
    items: Sequence[Item], vectors: Vectors, positions: Sequence[int]
) -> tuple[list[int], frozenset[int], list[int]]:
    """Who stays in a theme, who of them is doubtful, and who leaves it."""
    chance = np.array([items[p].themes[0][1] for p in positions])
    rows = np.asarray(positions)
    firm, weak = rows[chance >= FIRM], rows[chance < FIRM]
    if not len(weak):
        return list(positions), frozenset(), []
    bars = np.where(chance[chance < FIRM] < FAINT, _CLOSE, _NEAR)
    stays = _support(vectors[weak], vectors[firm]) >= bars
    doubtful = frozenset(int(p) for p in weak[stays])
    kept = sorted([*map(int, firm), *doubtful])
    return kept, doubtful, [int(p) for p in weak[~stays]]


def _support(weak: Vectors, firm: Vectors) -> NDArray[np.float32]:
    """Mean cosine of each weak row to its nearest firm ones; 0 without any."""
    if not len(firm):
        return np.zeros(len(weak), dtype=np.float32)
    cosines, _ = _nearest(weak, firm, min(_WITNESSES, len(firm)))
    support: NDArray[np.float32] = cosines.mean(axis=1)
    return support


def _topics(
    items: Sequence[Item],
    vectors: Vectors,
    theme: str,
    members: Sequence[int],
    doubtful: frozenset[int],
    *,
    seed: int,
) -> list[Group]:
    if not members:
        return []
    parts = [list(members)] if len(members) <= LARGEST else _communities(items, vectors, members, seed=seed)
    return [Group(theme, tuple(part), doubtful.intersection(part)) for part in parts]


def _alike(items: Sequence[Item], vectors: Vectors, positions: Sequence[int], *, seed: int) -> list[Group]:
    """Concerns of unknown theme: together only when close in meaning and of one field, else alone."""
    by_field: dict[str, list[int]] = defaultdict(list)
    for position in positions:
        known = items[position].themes
        by_field[items[position].field_code or (field_of(known[0][0]) if known else "")].append(position)
    groups: list[Group] = []
    for members in by_field.values():
        parts = _communities(items, vectors, members, seed=seed, least=_ALIKE)
        groups += [
            Group(None, tuple(part), frozenset(part) if len(part) > 1 else frozenset()) for part in parts
        ]
    return groups


def _communities(
    items: Sequence[Item], vectors: Vectors, members: Sequence[int], *, seed: int, least: float = 0.0
) -> list[list[int]]:
    """Leiden communities of the neighbour graph of some members; concerns of one commune are a little nearer."""
    if len(members) == 1:
        return [list(members)]
    # Imported late: half a second that most commands do not need.
    from scipy.sparse import csr_matrix
    from sknetwork.clustering import Leiden

    rows = vectors[np.asarray(members)]
    k = min(_NEIGHBOURS + 1, len(members))
    cosines, neighbours = _nearest(rows, rows, k)
    one = np.repeat(np.arange(len(members)), k)
    other = neighbours.ravel()
    places = np.unique(np.array([items[p].place for p in members]), return_inverse=True)[1]
    known = np.array([bool(items[p].place) for p in members])
    weights = cosines.ravel().astype(np.float64)
    weights += _SAME_PLACE * ((places[one] == places[other]) & known[one])
    edges = (one != other) & (weights > max(least, 1e-6))
    if not edges.any():
        return [[member] for member in members]
    graph = csr_matrix((weights[edges], (one[edges], other[edges])), shape=(len(members), len(members)))
    graph = graph.maximum(graph.T)
    labels = Leiden(random_state=seed).fit_predict(graph)
    found: dict[int, list[int]] = defaultdict(list)
    for member, label in zip(members, labels, strict=True):
        found[int(label)].append(member)
    return list(found.values())


def _nearest(queries: Vectors, rows: Vectors, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cosines and indices of the `k` nearest rows of each query, nearest first."""
    import faiss

    dim = rows.shape[1]
    cells = int(np.sqrt(len(rows)))
    index = faiss.index_factory(
        dim, "Flat" if len(rows) <= _EXACT else f"IVF{cells},Flat", faiss.METRIC_INNER_PRODUCT
    )
    if not index.is_trained:
        faiss.extract_index_ivf(index).nprobe = _CELLS_SEARCHED
        index.train(rows[:: max(1, len(rows) // (40 * cells))])
    index.add(np.ascontiguousarray(rows))
    cosines, indices = index.search(np.ascontiguousarray(queries), k)
    return cosines, indices

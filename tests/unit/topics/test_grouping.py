"""Groups by theme: everybody in exactly one, the doubtful marked, large themes cut, the same every time."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.text.embedding import unit_rows
from core.topics.grouping import LARGEST, Item, group

_DIM = 6


def _rows(count: int, seed: int) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, _DIM)))


@settings(deadline=None)  # The first example imports faiss.
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a/x", "a/y", "b/z", ""]), st.floats(0, 1), st.sampled_from(["", "1", "2"])
        ),
        max_size=40,
    ),
    st.integers(0, 3),
)
def test_every_concern_is_in_exactly_one_group(told: list[tuple[str, float, str]], seed: int) -> None:
    items = [Item(((theme, chance),) if theme else (), None, place) for theme, chance, place in told]
    vectors = _rows(len(items), seed)

    groups = group(items, vectors)

    assert Counter(p for found in groups for p in found.members) == Counter(range(len(items)))
    assert all(found.doubtful <= set(found.members) for found in groups)
    assert groups == group(items, vectors)
    for found in groups:
        if found.theme is not None:
            assert {items[p].themes[0][0] for p in found.members} == {found.theme}


def test_a_weak_theme_needs_neighbours_that_bear_it_out() -> None:
    near, far = [1.0, 0, 0, 0, 0, 0], [0, 0, 0, 1.0, 0, 0]
    vectors = np.array([near, near, near, far], dtype=np.float32)
    firm, weak = Item((("a/x", 0.9),)), Item((("a/x", 0.2),))

    groups = group([firm, firm, weak, weak], vectors)

    assert [(g.theme, g.members, g.doubtful) for g in groups] == [
        ("a/x", (0, 1, 2), frozenset({2})),
        (None, (3,), frozenset()),
    ]


def test_a_theme_that_nobody_reads_to_the_end_is_cut_by_meaning() -> None:
    middles = np.eye(_DIM, dtype=np.float32)[:2]
    noise = np.random.default_rng(1).normal(scale=0.1, size=(2 * LARGEST, _DIM))
    vectors = unit_rows(np.repeat(middles, LARGEST, axis=0) + noise)

    groups = group([Item((("a/x", 0.9),))] * len(vectors), vectors)

    assert len(groups) > 1
    assert all(len({p >= LARGEST for p in found.members}) == 1 for found in groups)

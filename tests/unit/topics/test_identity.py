"""Topics over regroupings: nobody is lost or in two topics, pins hold, identities go on."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.topics.identity import Kept, continue_topics


def _first(_concern: int, options: object) -> int:
    return next(iter(options))  # type: ignore[call-overload,no-any-return]


@st.composite
def _stored(draw: st.DrawFn) -> tuple[list[list[int]], Kept]:
    concerns = draw(st.lists(st.integers(1, 40), unique=True, max_size=25))
    labels = [draw(st.integers(0, 4)) for _ in concerns]
    groups = [[c for c, label in zip(concerns, labels, strict=True) if label == k] for k in range(5)]
    placed = draw(st.dictionaries(st.integers(1, 45), st.integers(100, 104), max_size=30))
    pinned = frozenset(c for c in placed if draw(st.booleans()))
    locked = frozenset(draw(st.sets(st.integers(100, 104), max_size=2)))
    return [group for group in groups if group], Kept(placed, pinned, locked)


@given(_stored())
def test_every_concern_is_in_one_topic_and_pins_and_locks_hold(stored: tuple[list[list[int]], Kept]) -> None:
    groups, kept = stored
    placings = continue_topics(groups, kept, _first)

    found = Counter(c for placing in placings for c in placing.members)
    assert found == Counter(c for group in groups for c in group)
    named = [p.topic_id for p in placings if p.topic_id is not None]
    assert len(named) == len(set(named))
    where = {c: p.topic_id for p in placings for c in p.members}
    for concern, topic in where.items():
        if concern in kept.pinned:
            assert topic == kept.placed[concern]
        elif topic in kept.locked:
            raise AssertionError("somebody joined a locked topic")


def test_a_topic_goes_on_with_its_largest_part() -> None:
    kept = Kept(dict.fromkeys((1, 2, 3), 7))
    placings = continue_topics([[1, 2, 9], [3, 4]], kept, _first)
    assert [(p.topic_id, p.members) for p in placings] == [(7, (1, 2, 9)), (None, (3, 4))]


def test_newcomers_join_what_staff_merged() -> None:
    kept = Kept(dict.fromkeys((1, 2, 3, 4), 7), frozenset({1, 2, 3, 4}))
    placings = continue_topics([[1, 2, 8], [3, 4, 9]], kept, _first)
    assert [(p.topic_id, p.members) for p in placings] == [(7, (1, 2, 3, 4, 8, 9))]


def test_newcomers_choose_between_the_parts_of_a_split() -> None:
    placed = dict.fromkeys((1, 2), 7) | dict.fromkeys((3, 4), 8)
    kept = Kept(placed, frozenset(placed))
    placings = continue_topics([[1, 2, 3, 4, 9, 10]], kept, lambda c, _: {9: 7, 10: 8}[c])
    assert [(p.topic_id, p.members) for p in placings] == [(7, (1, 2, 9)), (8, (3, 4, 10))]


def test_one_moved_concern_does_not_pull_the_others_along() -> None:
    placed = dict.fromkeys(range(1, 6), 7) | {10: 8} | dict.fromkeys(range(11, 20), 8)
    kept = Kept(placed, frozenset({1}))
    moved = Kept(placed | {1: 8}, kept.pinned)
    placings = continue_topics([[1, 2, 3, 4, 5], list(range(10, 20))], moved, _first)
    assert [(p.topic_id, p.members) for p in placings] == [(8, (1, *range(10, 20))), (7, (2, 3, 4, 5))]

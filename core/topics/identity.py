"""Which stored topic each new group continues, and where staff's word keeps concerns in place.

Pinned concerns (placed by staff) never move; locked topics take nobody in. What a group brings besides them goes to
the topics that already live in that group: to the one it was in when staff shaped that one, else to the nearest, and
where no topic lives there, to the unshaped topic of the largest overlap or to a new one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

# A topic lives in a group when this share of its members is there, and counts when it is this share of the group.
_AT_HOME = 0.3
_COUNTS = 0.2

Nearest = Callable[[int, Sequence[int]], int]
"""From a concern and some topics to the topic whose members it resembles most."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of a session's topics: where each concern is, who is pinned, which topics are locked."""

    placed: Mapping[int, int] = field(default_factory=dict)
    pinned: frozenset[int] = frozenset()
    locked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Placing:
    """Members of one topic from now on; `topic_id` is None for a new topic."""

    topic_id: int | None
    members: tuple[int, ...]
    group: int | None = None


def continue_topics(groups: Sequence[Sequence[int]], kept: Kept, nearest: Nearest) -> list[Placing]:
    """Every concern of `groups` in exactly one placing; deterministic. Linear in the concerns.

    Concerns of `kept` that are in no group (withdrawn ones) are left out.
    """
    here = {concern for group in groups for concern in group}
    placed = {c: t for c, t in kept.placed.items() if c in here}
    sizes = Counter(placed.values())
    shaped = {placed[c] for c in kept.pinned if c in placed}
    heirs = _heirs(groups, placed, shaped | kept.locked)
    members: dict[int, list[int]] = defaultdict(list)
    fresh: list[Placing] = []
    source: dict[int, int] = {}
    for number, group in enumerate(groups):
        free = [c for c in group if c not in kept.pinned]
        for concern in group:
            if concern in kept.pinned and concern in placed:
                members[placed[concern]].append(concern)
        free += [c for c in group if c in kept.pinned and c not in placed]
        options = _living(group, placed, sizes, shaped - kept.locked)
        if number in heirs:
            options.append(heirs[number])
        if not options:
            if free:
                fresh.append(Placing(None, tuple(sorted(free)), number))
            continue
        for concern in free:
            before = placed.get(concern)
            chosen = before if before in options else _choose(concern, options, nearest)
            members[chosen].append(concern)
            source.setdefault(chosen, number)
    stored = [Placing(t, tuple(sorted(found)), source.get(t)) for t, found in members.items()]
    return sorted([*stored, *fresh], key=lambda placing: placing.members[0])


def _choose(concern: int, options: Sequence[int], nearest: Nearest) -> int:
    return options[0] if len(options) == 1 else nearest(concern, options)


def _living(
    group: Sequence[int], placed: Mapping[int, int], sizes: Mapping[int, int], shaped: set[int]
) -> list[int]:
    """Topics shaped by staff that live in this group."""
    votes = Counter(placed[c] for c in group if c in placed)
    total = sum(votes.values())
    return [
        topic
        for topic, count in sorted(votes.items())
        if topic in shaped and count >= _AT_HOME * sizes[topic] and count >= _COUNTS * total
    ]


def _heirs(
    groups: Sequence[Sequence[int]], placed: Mapping[int, int], apart: set[int] | frozenset[int]
) -> dict[int, int]:
    """Group → the unshaped topic that it continues: largest overlap first, each topic and group once."""
    overlaps = [
        (count, number, topic)
        for number, group in enumerate(groups)
        for topic, count in Counter(placed[c] for c in group if c in placed).items()
        if topic not in apart
    ]
    heirs: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, topic in sorted(overlaps, key=lambda o: (-o[0], o[1], o[2])):
        if number not in heirs and topic not in taken:
            heirs[number] = topic
            taken.add(topic)
    return heirs

"""From the concerns of a session to its topics: grouped, continued from what is stored, named, ranked. No storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from core.text.embedding import Vectors, unit_rows
from core.topics import ranking
from core.topics.grouping import FIRM, Group, Item, group
from core.topics.identity import Kept, Placing, continue_topics
from core.topics.labels import MEMBERS, label_topics
from core.topics.themes import Themes, field_of
from core.topics.why import cohesion

_SEED = 7
_PLACES_SHOWN = 8
# A member farther from the middle than this is looked at first.
_FAR = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """One concern as grouping, naming and ranking see it; `voice` holds its people, folded words and time."""

    concern_id: int
    text: str
    field_code: str | None
    themes: Themes
    voice: ranking.Voice


@dataclass(frozen=True, slots=True)
class Arranged:
    """One topic; `topic_id` is None for a new one, `centroid` a unit row of the whitened vectors.

    `facts` holds: people, concerns, recent, places (unit codes, most concerns first), first, last, cohesion,
    doubtful (concern ids), rank (1 is first), score, parts, flags, lifted.
    """

    topic_id: int | None
    members: tuple[int, ...]
    theme: str | None
    field_code: str | None
    label: str
    representative_id: int
    centroid: Vectors
    facts: dict[str, Any]


def arrange(
    told: Sequence[Told],
    vectors: Vectors,
    *,
    kept: Kept,
    now: datetime,
    promised: Callable[[str | None], bool] = lambda _theme: False,
    seed: int = _SEED,
) -> list[Arranged]:
    """All topics in the order of the proposed agenda; every concern in exactly one, staff's placings obeyed.

    `vectors` are whitened unit rows in the order of `told`. `promised` tells of a theme whether an earlier session
    promised something about it that is not yet done.
    """
    if not told:
        return []
    groups = group([_item(one) for one in told], vectors, seed=seed)
    position = {one.concern_id: number for number, one in enumerate(told)}
    ids = [[told[p].concern_id for p in found.members] for found in groups]
    placings = continue_topics(ids, kept, _nearest_topic(position, vectors, kept))
    middles = [_middle(vectors, [position[c] for c in placing.members]) for placing in placings]
    central = [
        _central(vectors, middle, [position[c] for c in placing.members])
        for placing, middle in zip(placings, middles, strict=True)
    ]
    labels = label_topics([[told[p].text for p in found[:MEMBERS]] for found in central])
    themes = [_theme(told, groups, placing, position) for placing in placings]
    doubtful = frozenset(p for found in groups for p in found.doubtful)
    scores = [
        ranking.score([told[position[c]].voice for c in placing.members], promised=promised(theme), now=now)
        for placing, theme in zip(placings, themes, strict=True)
    ]
    places = [
        [code for code, _ in Counter(told[position[c]].voice.unit_code for c in p.members).most_common()]
        for p in placings
    ]
    ranked, lifted = ranking.order(scores, places)
    arranged: list[Arranged] = []
    for rank, n in enumerate(ranked, start=1):
        members = [position[c] for c in placings[n].members]
        facts = _facts(told, vectors, middles[n], members, doubtful, scores[n])
        facts |= {"places": places[n][:_PLACES_SHOWN], "rank": rank, "lifted": n in lifted}
        arranged.append(
            Arranged(
                placings[n].topic_id,
                placings[n].members,
                themes[n],
                _field(told, members, themes[n]),
                labels[n][:200],
                told[central[n][0]].concern_id,
                middles[n],
                facts,
            )
        )
    return arranged


def _item(one: Told) -> Item:
    return Item(one.themes, one.field_code, one.voice.unit_code)


def _middle(vectors: Vectors, members: Sequence[int]) -> Vectors:
    middle: Vectors = unit_rows(vectors[np.asarray(members)].mean(axis=0, keepdims=True))[0]
    return middle


def _central(vectors: Vectors, middle: Vectors, members: Sequence[int]) -> list[int]:
    """Members from the middle outwards."""
    rows = np.asarray(members)
    order = np.argsort(-(vectors[rows] @ middle), kind="stable")
    return [int(rows[n]) for n in order]


def _nearest_topic(
    position: Mapping[int, int], vectors: Vectors, kept: Kept
) -> Callable[[int, Sequence[int]], int]:
    """Compares a concern with the stored members of topics; a topic's middle is made once, when first asked."""
    stored: dict[int, list[int]] = {}
    for concern, topic in kept.placed.items():
        if concern in position:
            stored.setdefault(topic, []).append(position[concern])
    middles: dict[int, Vectors] = {}

    def nearest(concern: int, options: Sequence[int]) -> int:
        for topic in options:
            if topic not in middles:
                middles[topic] = _middle(vectors, stored[topic])
        row = vectors[position[concern]]
        return max(options, key=lambda topic: (float(row @ middles[topic]), -topic))

    return nearest


def _theme(
    told: Sequence[Told], groups: Sequence[Group], placing: Placing, position: Mapping[int, int]
) -> str | None:
    """The theme that most members surely have; a group's own when it was made by one."""
    sure = Counter(
        one.themes[0][0]
        for one in (told[position[c]] for c in placing.members)
        if one.themes and one.themes[0][1] >= FIRM
    )
    if sure:
        return min(sure, key=lambda name: (-sure[name], name))
    return groups[placing.group].theme if placing.group is not None else None


def _field(told: Sequence[Told], members: Sequence[int], theme: str | None) -> str | None:
    named = Counter(code for p in members if (code := told[p].field_code))
    if not named:
        return field_of(theme) if theme else None
    own = field_of(theme) if theme else ""
    return min(named, key=lambda code: (-named[code], code != own, code))


def _facts(
    told: Sequence[Told],
    vectors: Vectors,
    middle: Vectors,
    members: Sequence[int],
    doubtful: frozenset[int],
    score: ranking.Score,
) -> dict[str, Any]:
    near = vectors[np.asarray(members)] @ middle
    far = [p for p, cosine in zip(members, near, strict=True) if p in doubtful or cosine < _FAR]
    times = [told[p].voice.at for p in members]
    return {
        "people": score.people,
        "concerns": len(members),
        "recent": score.recent,
        "first": min(times).isoformat(),
        "last": max(times).isoformat(),
        "cohesion": cohesion(vectors[np.asarray(members)]),
        "doubtful": [told[p].concern_id for p in far] if len(members) > 1 else [],
        "score": score.total,
        "parts": score.parts,
        "flags": list(score.flags),
    }

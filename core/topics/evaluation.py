"""Measuring a grouping against groups that people made."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sklearn.metrics import adjusted_rand_score, v_measure_score

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group that people made; an id may be in several. `level` is `same_topic` or `same_matter`."""

    group_id: str
    ids: tuple[str, ...]
    level: str = "same_topic"


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Pairs are judged among the ids that the groups list; None where nothing could be judged.

    `ari` and `v_measure` cover the ids that are in exactly one group. `field_purity` covers every pair in one
    topic whose fields are known.
    """

    n: int
    topics: int
    pairwise_precision: float | None
    pairwise_recall: float | None
    pairwise_f1: float | None
    ari: float | None
    v_measure: float | None
    field_purity: float | None


def score_topics(
    topics: Mapping[str, int], groups: Sequence[GroupRow], fields: Mapping[str, frozenset[str]]
) -> GroupScore:
    """`topics` is the topic of every id; `fields` the defensible fields of the ids that have any."""
    listed = sorted({i for group in groups for i in group.ids if i in topics})
    said = {pair for pair in combinations(listed, 2) if topics[pair[0]] == topics[pair[1]]}
    precision, recall, f1 = pair_scores(said, pairs_of(groups, listed))
    times = Counter(i for group in groups for i in set(group.ids))
    truth = {
        i: number for number, group in enumerate(groups) for i in group.ids if times[i] == 1 and i in topics
    }
    ids = sorted(truth)
    right, mine = [truth[i] for i in ids], [topics[i] for i in ids]
    return GroupScore(
        len(topics),
        len(set(topics.values())),
        precision,
        recall,
        f1,
        round(float(adjusted_rand_score(right, mine)), 4) if ids else None,
        round(float(v_measure_score(right, mine)), 4) if ids else None,
        _field_purity(topics, fields),
    )


def pairs_of(groups: Iterable[GroupRow], listed: Sequence[str]) -> set[Pair]:
    """The pairs of ids that share a group."""
    known = set(listed)
    return {pair for group in groups for pair in combinations(sorted(known.intersection(group.ids)), 2)}


def pair_scores(said: set[Pair], right: set[Pair]) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 of pairs; None for a share of nothing."""
    hits = len(said & right)
    precision = round(hits / len(said), 4) if said else None
    recall = round(hits / len(right), 4) if right else None
    if precision is None or recall is None:
        return precision, recall, None
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return precision, recall, round(f1, 4)


def _field_purity(topics: Mapping[str, int], fields: Mapping[str, frozenset[str]]) -> float | None:
    members: dict[int, list[str]] = defaultdict(list)
    for i, topic in topics.items():
        if fields.get(i):
            members[topic].append(i)
    pairs = [pair for ids in members.values() for pair in combinations(ids, 2)]
    shared = sum(bool(fields[a] & fields[b]) for a, b in pairs)
    return round(shared / len(pairs), 4) if pairs else None

"""Topics on concerns written for it, groups mixed into unrelated ones. The second set was written after the
vocabulary, in words as far from it as their writer could think of; floors, not targets (docs/topics.md).
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

from core.fields import FieldClassifier
from core.places.tokens import without_marks
from core.topics.evaluation import GroupRow, GroupScore, score_topics
from core.topics.grouping import Item, group
from core.topics.themes import ThemeModel

pytestmark = pytest.mark.slow
Trained = tuple[FieldClassifier, ThemeModel]


def _measured(trained: Trained, name: str, *, stripped: float) -> GroupScore:
    fields, model = trained
    path = Path(__file__).with_name(f"concerns_{name}.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    bare = set(random.Random(7).sample(range(len(rows)), round(stripped * len(rows))))
    texts = [
        fields.read(without_marks(row["text"]) if n in bare else row["text"]).text
        for n, row in enumerate(rows)
    ]
    vectors = fields.embedder.embed(texts)
    guesses = fields.classify_many(texts, vectors=vectors)
    items = [Item(themes, g.code) for themes, g in zip(model.read(texts, vectors), guesses, strict=True)]
    found = group(items, model.whitener.apply(vectors))
    topics = {str(p): number for number, one in enumerate(found) for p in one.members}
    right: dict[str, list[str]] = defaultdict(list)
    for n, row in enumerate(rows):
        if "topic" in row:
            right[row["topic"]].append(str(n))
    labels = {str(n): frozenset([row["field"], *row.get("field_alt", [])]) for n, row in enumerate(rows)}
    return score_topics(topics, [GroupRow(key, tuple(ids)) for key, ids in right.items()], labels)


@pytest.mark.parametrize(
    ("name", "precision", "recall", "purity"), [("first", 0.9, 0.85, 0.93), ("second", 0.65, 0.55, 0.65)]
)
def test_topics_are_those_that_a_person_made(
    trained: Trained, name: str, precision: float, recall: float, purity: float
) -> None:
    score = _measured(trained, name, stripped=0.0)
    assert (score.pairwise_precision or 0) >= precision
    assert (score.pairwise_recall or 0) >= recall
    assert (score.field_purity or 0) >= purity


@pytest.mark.parametrize("name", ["first", "second"])
def test_missing_marks_cost_little(trained: Trained, name: str) -> None:
    whole = _measured(trained, name, stripped=0.0).pairwise_f1 or 0
    third = _measured(trained, name, stripped=1 / 3).pairwise_f1 or 0
    assert third >= whole - 0.07

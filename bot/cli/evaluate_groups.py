"""`nghedan evaluate groups`: topics, or the offer to join the same matter, against groups that people made."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.console import fail, note, print_json
from bot.cli.evaluation_rows import read_rows, text_of
from core.fields import FieldClassifier
from core.fields.catalogue import field_code
from core.places import Gazetteer
from core.places.tokens import without_marks
from core.settings import Settings
from core.text.embedding import load_embedder
from core.topics import baseline, themes
from core.topics.evaluation import GroupRow, GroupScore, pair_scores, pairs_of, score_topics
from core.topics.grouping import Item, group
from core.topics.sameness import Matter, places_of, same_matter

LEVELS = ("same_topic", "same_matter")
_SEED = 7


@dataclass(frozen=True, slots=True)
class ConcernRow:
    """A concern to group; `fields` holds its defensible fields, none when the file has no labels."""

    id: str
    text: str
    place: str
    fields: frozenset[str]


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("groups", help="Gộp nhóm: {id, text, place?} và {group_id, ids, level?}.")(groups)


def groups(
    concerns: Annotated[Path, typer.Option(help="Ý kiến, JSON Lines.", exists=True, dir_okay=False)],
    groups: Annotated[Path, typer.Option(help="Nhóm đúng, JSON Lines.", exists=True, dir_okay=False)],
    level: Annotated[
        str, typer.Option(help="same_topic: nhóm; same_matter: lời mời góp chung.")
    ] = "same_topic",
    strip_diacritics: Annotated[
        float, typer.Option(help="Bỏ dấu ở phần này của các ý kiến.", min=0.0, max=1.0)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Số hạt giống.")] = _SEED,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Group every concern as one session that covers all their places, and compare pairs."""
    if level not in LEVELS:
        fail("evaluate.level", "«--level» là same_topic hoặc same_matter")
    file, right = read_rows(concerns, concern_row), read_rows(groups, group_row)
    rows = _stripped(_once(file.rows), share=strip_diacritics, seed=seed)
    if level == "same_matter":
        result = _offers(rows, right.rows)
    else:
        result = _topics(rows, right.rows, seed=seed)
    if as_json:
        print_json({**result, "bad_lines": file.bad_lines(), "bad_groups": right.bad_lines()})


def concern_row(row: dict[str, Any]) -> ConcernRow:
    """A concern with its labels. Raises `ValueError`."""
    if not isinstance(row.get("id"), str | int):
        raise ValueError("thiếu «id»")
    alternatives = row.get("field_alt") or []
    names = [row.get("field"), *(alternatives if isinstance(alternatives, list) else [])]
    codes = {field_code(name) for name in names if isinstance(name, str)}
    place = row.get("place")
    return ConcernRow(
        str(row["id"]),
        text_of(row),
        place if isinstance(place, str) else "",
        frozenset(c for c in codes if c),
    )


def group_row(row: dict[str, Any]) -> GroupRow:
    """A group with its level. Raises `ValueError`."""
    ids = row.get("ids")
    if not isinstance(ids, list) or not ids:
        raise ValueError("«ids» phải là danh sách mã")
    level = row.get("level", "same_topic")
    if level not in LEVELS:
        raise ValueError("«level» là same_topic hoặc same_matter")
    return GroupRow(str(row.get("group_id", "")), tuple(str(i) for i in ids), level)


def _once(rows: list[ConcernRow]) -> list[ConcernRow]:
    return list({row.id: row for row in rows}.values())


def _stripped(rows: list[ConcernRow], *, share: float, seed: int) -> list[ConcernRow]:
    chosen = set(random.Random(seed).sample(range(len(rows)), round(share * len(rows))))
    return [
        ConcernRow(r.id, without_marks(r.text), r.place, r.fields) if n in chosen else r
        for n, r in enumerate(rows)
    ]


def _topics(rows: list[ConcernRow], right: list[GroupRow], *, seed: int) -> dict[str, Any]:
    settings = Settings()
    fields = FieldClassifier.ensure(settings.models_dir, note, embedder=load_embedder(settings.embedder))
    model = themes.ensure(settings.models_dir, fields, note)
    texts = [fields.read(row.text).text for row in rows]
    vectors = fields.embedder.embed(texts)
    guesses = fields.classify_many(texts, vectors=vectors)
    items = [Item(t, g.code) for t, g in zip(model.read(texts, vectors), guesses, strict=True)]
    found = group(items, model.whitener.apply(vectors), seed=seed)
    ours = {rows[p].id: number for number, topic in enumerate(found) for p in topic.members}
    labelled = {row.id: row.fields for row in rows}

    def against(labels: list[int]) -> GroupScore:
        return score_topics(dict(zip(ours_order, labels, strict=True)), right, labelled)

    ours_order = [row.id for row in rows]
    score = score_topics(ours, right, labelled)
    plain = against(baseline.tfidf_hdbscan([row.text for row in rows], seed=seed))
    _tell("Nhóm", score)
    _tell("Mốc so sánh (TF-IDF, HDBSCAN)", plain)
    compared: dict[str, Any] = {"method": "tfidf_hdbscan", **asdict(plain)}
    labels = baseline.bertopic(texts, vectors, seed=seed)
    if labels is not None:
        compared["bertopic"] = asdict(against(labels))
    return {**asdict(score), "baseline": compared}


def _offers(rows: list[ConcernRow], right: list[GroupRow]) -> dict[str, Any]:
    settings = Settings()
    fields = FieldClassifier.ensure(settings.models_dir, note, embedder=load_embedder(settings.embedder))
    model = themes.ensure(settings.models_dir, fields, note)
    gazetteer = Gazetteer.load()
    texts = [fields.read(row.text).text for row in rows]
    vectors = fields.embedder.embed(texts)
    white = model.whitener.apply(vectors)
    matters = [
        Matter(text, themes_, vector, places_of(gazetteer, row.text, row.place))
        for row, text, themes_, vector in zip(rows, texts, model.read(texts, vectors), white, strict=True)
    ]
    listed = {i for g in right for i in g.ids}
    judged = [n for n, row in enumerate(rows) if row.id in listed]
    said = {
        (min(rows[a].id, rows[b].id), max(rows[a].id, rows[b].id))
        for a, b in combinations(judged, 2)
        if same_matter(matters[a], matters[b])
    }
    same = [g for g in right if g.level == "same_matter"]
    precision, recall, f1 = pair_scores(said, pairs_of(same, [rows[n].id for n in judged]))
    note(f"Mời góp chung: {len(said)} cặp, đúng {precision}, tìm được {recall}")
    return {
        "n": len(rows),
        "topics": None,
        "offered": len(said),
        "pairwise_precision": precision,
        "pairwise_recall": recall,
        "pairwise_f1": f1,
        "ari": None,
        "v_measure": None,
        "field_purity": None,
        "baseline": None,
    }


def _tell(name: str, score: GroupScore) -> None:
    note(
        f"{name}: {score.topics} nhóm từ {score.n} ý kiến; cặp đúng {score.pairwise_precision}, "
        f"tìm được {score.pairwise_recall}, F1 {score.pairwise_f1}; cùng lĩnh vực {score.field_purity}"
    )

"""Themes and the offer to join, on messages written for it: few offers, right ones, with and without marks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.fields import FieldClassifier
from core.places import Gazetteer
from core.places.tokens import without_marks
from core.topics.sameness import Matter, places_of, same_matter
from core.topics.themes import ThemeModel, field_of

pytestmark = pytest.mark.slow
Trained = tuple[FieldClassifier, ThemeModel]


def _matter(trained: Trained, gazetteer: Gazetteer, text: str) -> Matter:
    fields, model = trained
    readable = fields.read(text).text
    vectors = fields.embedder.embed([readable])
    return Matter(
        readable,
        model.read([readable], vectors)[0],
        model.whitener.apply(vectors)[0],
        places_of(gazetteer, text),
    )


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("name", ["matters", "matters_second", "matters_third"])
def test_offers_are_right_and_not_rare(trained: Trained, name: str, stripped: bool) -> None:
    """The second and third file are hard on purpose: the same place and theme, another matter."""
    gazetteer = Gazetteer.load()
    change = without_marks if stripped else str
    lines = Path(__file__).with_name(f"{name}.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    offered = [
        row["same"]
        for row in rows
        if same_matter(
            _matter(trained, gazetteer, change(row["a"])), _matter(trained, gazetteer, change(row["b"]))
        )
    ]
    assert sum(offered) >= (0.85 if stripped else 1.0) * len(offered)
    assert sum(offered) >= (0.3 if stripped else 0.45) * sum(row["same"] for row in rows)


def test_a_theme_is_known_with_and_without_marks(trained: Trained) -> None:
    fields, model = trained
    said = {
        "Kè bờ suối sạt, nước ăn vào chân nhà dân": "xay_dung_do_thi/ke_sat_lo_bo",
        "Học sinh bán trú chưa được tiền ăn": "giao_duc/ban_tru_bua_an",
        "Thôn trên chưa có điện lưới": "dien_nuoc/dien",
    }
    for text, theme in said.items():
        for typed in (text, without_marks(text)):
            readable = fields.read(typed).text
            ((best, _), *_) = model.read([readable], fields.embedder.embed([readable]))[0]
            assert best == theme
            assert field_of(best) == theme.split("/")[0]

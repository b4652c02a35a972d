"""Where one matter ends and the next begins."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields import FieldClassifier
from core.places.tokens import tokenize, without_marks
from core.splitting import split_matters
from core.splitting.evaluation import SplitRow, evaluate_split
from core.splitting.samples import rows
from core.splitting.topics import connectives
from core.text.normal import clean


def _rows(name: str) -> list[SplitRow]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [SplitRow(row["text"], tuple(row["parts"])) for row in map(json.loads, lines)]


DEV = _rows("split_dev.jsonl")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("stripped", [False, True])
def test_development_messages_are_cut_where_a_person_cuts_them(stripped: bool) -> None:
    change = without_marks if stripped else str
    score = evaluate_split([SplitRow(change(r.text), tuple(map(change, r.parts))) for r in DEV])

    assert (score.exact or 0) >= 0.9
    assert (score.single_split or 0) <= 0.05


@pytest.mark.parametrize("stripped", [False, True])
def test_generated_messages_are_cut_where_they_were_joined(stripped: bool) -> None:
    change = without_marks if stripped else str
    made = [SplitRow(change(r.text), tuple(map(change, r.parts))) for r in rows(count=400, seed=23)]
    score = evaluate_split(made)

    assert (score.exact or 0) >= 0.9
    assert (score.single_split or 0) <= 0.01


def test_sentences_of_surely_different_fields_are_cut_even_when_no_list_names_their_things() -> None:
    text = "Khu phơi mo cau xin được mở rộng. Khu tập xà đơn cần thêm bóng."
    fields = {"Khu phơi": {"nong_nghiep": 0.9, "van_hoa_du_lich": 0.1}}
    other = {"nong_nghiep": 0.05, "van_hoa_du_lich": 0.95}

    def judge(piece: str) -> dict[str, float]:
        return fields["Khu phơi"] if piece.startswith("Khu phơi") else other

    assert len(split_matters(text)) == 1
    assert [p.text for p in split_matters(text, judge)] == [
        "Khu phơi mo cau xin được mở rộng.",
        "Khu tập xà đơn cần thêm bóng.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("file", ["split_fresh.jsonl", "split_third.jsonl"])
@pytest.mark.parametrize("stripped", [False, True])
def test_messages_are_cut_where_a_person_cuts_them(stripped: bool, file: str) -> None:
    change = without_marks if stripped else str
    judge = FieldClassifier.ensure(ROOT / "var" / "models", lambda _line: None).by_words
    rows_ = [SplitRow(change(r.text), tuple(map(change, r.parts))) for r in _rows(file)]
    score = evaluate_split(rows_, judge)

    assert (score.exact or 0) >= 0.85
    assert (score.single_split or 0) <= 0.03


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "đường hỏng, điện thì chập chờn, trạm y tế không có thuốc",
            ["đường hỏng", "điện thì chập chờn", "trạm y tế không có thuốc"],
        ),
        ("1. Đường hỏng 2. Điện yếu", ["Đường hỏng", "Điện yếu"]),
        ("thứ nhất là đường xấu, thứ hai là nước bẩn", ["đường xấu", "nước bẩn"]),
        (
            "Tôi có hai ý kiến: 1) rác không ai thu 2) đèn tắt",
            ["Tôi có hai ý kiến: 1) rác không ai thu", "đèn tắt"],
        ),
        ("Mất điện cả ngày nên máy bơm không chạy, không có nước", None),
        ("Bà con chờ ngày 1. Đường 2. vẫn hỏng", None),
        ("Trường mầm non Bình Minh thu 3.500.000 đồng một năm, cao quá", None),
    ],
)
def test_one_message_is_cut_like_this(text: str, parts: list[str] | None) -> None:
    found = [part.text for part in split_matters(text)]

    assert found == (parts or [text]) or (parts is None and len(found) == 1)


def test_parts_point_into_the_cleaned_text() -> None:
    text = clean("Đường vào thôn hỏng nặng.\n\nNgoài ra  trạm y tế hết thuốc!")
    parts = split_matters(text)

    assert [text[p.start : p.end] for p in parts] == [p.text for p in parts]
    assert len(parts) == 2


def test_an_empty_text_has_no_matter() -> None:
    assert split_matters("") == ()
    assert split_matters("   \n ") == ()


def _dropped(text: str) -> list[str]:
    parts = split_matters(text)
    kept = [False] * len(clean(text))
    for part in parts:
        kept[part.start : part.end] = [True] * (part.end - part.start)
    return [t.folded for t in tokenize(clean(text)) if not kept[t.start]]


_LIGHT = {word for name in ("another", "ordinals") for phrase in connectives()[name] for word in phrase}
_PIECES = st.lists(
    st.sampled_from(
        [line.text for line in rows(count=60, seed=3)]
        + ["ngoài ra", "1.", "-", "thứ hai", "còn", ", ", "\n", "abc"]
    ),
    max_size=6,
)


@settings(max_examples=120, deadline=None)
@given(_PIECES)
def test_nothing_is_lost_but_numbering_and_connectives(pieces: list[str]) -> None:
    text = " ".join(pieces)
    parts = split_matters(text)

    assert all(a.end <= b.start for a, b in pairwise(parts))
    assert all(len(word) <= 2 or word in _LIGHT | {"con", "roi"} for word in _dropped(text))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=100))
def test_any_text_is_cut_without_an_error(text: str) -> None:
    cleaned = clean(text)
    for part in split_matters(text):
        assert cleaned[part.start : part.end] == part.text

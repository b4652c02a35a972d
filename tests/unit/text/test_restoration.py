"""Diacritics put back by a small model trained here, and what must never change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.text.normal import clean, fold
from core.text.reading import read, typed_without_marks
from core.text.restoration import Restorer, syllables

LINES = [
    "đường vào thôn bị hỏng nặng",
    "đường liên thôn lầy lội",
    "xin sửa đường cho bà con đi lại",
    "nước sinh hoạt bị đục",
    "mất điện cả ngày",
    "đề nghị sửa cầu",
    "bà con mất nước cả tuần",
]


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer.train((line, 1.0) for line in LINES)


def test_marks_come_back_in_known_words(restorer: Restorer) -> None:
    assert restorer.restore("duong vao thon bi hong nang").text == "đường vào thôn bị hỏng nặng"


def test_the_words_around_decide_between_forms() -> None:
    restorer = Restorer.train([("mất điện cả ngày", 1.0), ("cá chết nổi đầy ao", 1.0)])

    assert restorer.restore("mat dien ca ngay").text == "mất điện cả ngày"
    assert restorer.restore("ca chet").text == "cá chết"


def test_marks_that_were_typed_stay(restorer: Restorer) -> None:
    assert restorer.restore("dường vao").text.split()[0] == "dường"


def test_case_punctuation_numbers_and_foreign_words_stay(restorer: Restorer) -> None:
    assert restorer.restore("DUONG vao thon 5, wifi?\nMat dien!").text == (
        "ĐƯỜNG vào thôn 5, wifi?\nMất điện!"
    )


def test_a_saved_model_restores_the_same(restorer: Restorer, tmp_path: Path) -> None:
    restorer.save(tmp_path / "r.npz")
    loaded = Restorer.load(tmp_path / "r.npz")

    for line in LINES:
        assert loaded.restore(fold(line)) == restorer.restore(fold(line))


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(LINES), max_size=3).map(" ".join)))
def test_only_marks_ever_change(restorer: Restorer, text: str) -> None:
    restored = restorer.restore(text)

    assert fold(restored.text) == fold(text)
    assert 0 <= restored.confidence <= 1 + 1e-9


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("duong vao thon hong nang", True),
        ("đường vào thôn hỏng nặng", False),
        ("Duong vao thôn hong nang lam roi", True),
        ("123 !!!", False),
        ("", False),
    ],
)
def test_a_text_is_restored_only_when_marks_are_missing_throughout(text: str, without: bool) -> None:
    assert typed_without_marks(text) is without


def test_a_reading_keeps_the_original_and_writes_chat_spellings_out(restorer: Restorer) -> None:
    raw = "  duong  vao thon ko di dc "
    reading = read(raw, restorer)

    assert reading.original == raw
    assert reading.clean == clean(raw)
    assert reading.restored
    assert "không" in reading.text and "được" in reading.text
    assert read("Đường vào thôn hỏng", restorer).text == "Đường vào thôn hỏng"


def test_a_break_stands_between_sentences_only_once() -> None:
    assert syllables("Mất điện!! Cả ngày.\n\nKhổ") == ["mất", "điện", ".", "cả", "ngày", ".", "khổ"]

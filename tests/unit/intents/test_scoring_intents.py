"""What `nghedan evaluate intents` counts: labels, merged labels, the made variants, bad lines."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.evaluate_intents import LABELS, coarse, intent_row, merged, score_intents, to_teencode

DOMAIN = Path(__file__).parents[3] / "nlu" / "domain.yml"


def answers(*intents: str) -> list[dict[str, object]]:
    return [{"intent": name, "confidence": 0.9, "ms": float(i + 1)} for i, name in enumerate(intents)]


def test_every_intent_of_the_dialogue_has_a_label() -> None:
    intents = yaml.safe_load(DOMAIN.read_text("utf-8"))["intents"]
    assert {coarse(name) for name in intents} == set(LABELS)


def test_merged_counts_small_talk_and_out_of_scope_as_one() -> None:
    score = score_intents(
        ["chitchat", "out_of_scope", "greet", "greet"],
        answers("out_of_scope", "nlu_fallback", "greet", "thank"),
    )
    assert (score["n"], score["accuracy"], score["merged_accuracy"]) == (4, 0.5, 0.75)
    assert score["per_intent"]["greet"] == {"n": 2, "recall": 0.5, "precision": 1.0, "f1": 0.6667}
    assert {"intent": "chitchat", "said": "out_of_scope", "count": 1} in score["confusions"]
    assert score["merged_macro_f1"] == pytest.approx((1.0 + 2 / 3) / 2, abs=1e-4)
    assert score["ms_p50"] == 2.5


def test_no_rows_give_no_division_by_zero() -> None:
    assert score_intents([], [])["n"] == 0


@pytest.mark.parametrize(
    "row", [{"text": "xin chào"}, {"text": "xin chào", "intent": "hello"}, {"intent": "greet"}]
)
def test_a_row_without_text_or_with_an_unknown_label_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="«"):
        intent_row(row)


def test_teencode_is_the_same_every_time_and_changes_words_only() -> None:
    text = "Tôi không biết gì, cảm ơn cán bộ nhiều"
    made = to_teencode(text)
    assert made == to_teencode(text)
    assert "tui" in made and "không" not in made
    assert to_teencode("khônggian đườngg") == "khônggian đườngg"


@given(st.text(max_size=200))
def test_any_text_can_be_changed(text: str) -> None:
    assert isinstance(to_teencode(text), str)
    assert merged(coarse(None)) == merged("chitchat")

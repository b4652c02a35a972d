"""The trained model on messages written after its training data, none of them in it."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from conftest import Engine
from training.generate import examples

HERE = Path(__file__).parent
# Citizens' messages of every label, and messages as people write them to bots of shops, schools and offices.
FRESH = ("intents_fresh.jsonl", "intents_bots.jsonl")
COARSE = {
    "ask_human": "ask_help",
    "data_rights": "ask_help",
    "ask_bot": "chitchat",
    "erase_data": "withdraw",
    "edit_concern": "withdraw",
    "provide_place": "raise_concern",
    "nlu_fallback": "out_of_scope",
}


@pytest.fixture(scope="module", params=FRESH)
def rows(request: pytest.FixtureRequest) -> list[dict[str, str]]:
    return [json.loads(line) for line in (HERE / request.param).read_text("utf-8").splitlines()]


def right_share(engine: Engine, rows: list[dict[str, str]], texts: list[str]) -> float:
    async def ask() -> list[dict[str, Any]]:
        return [await engine.agent.parse_message(text) for text in texts]

    said = [COARSE.get(a["intent"]["name"], a["intent"]["name"]) for a in engine.run(ask())]
    other = ("chitchat", "out_of_scope")
    hits = [
        row["intent"] == name or (row["intent"] in other and name in other)
        for row, name in zip(rows, said, strict=True)
    ]
    return sum(hits) / len(hits)


def unmarked(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return bare.replace("đ", "d").replace("Đ", "D")


def test_no_fresh_message_is_a_training_example(rows: list[dict[str, str]]) -> None:
    learned = {text.lower() for texts in examples().values() for text in texts}
    assert [row["text"] for row in rows if row["text"].lower() in learned] == []


def test_fresh_messages_are_understood(engine: Engine, rows: list[dict[str, str]]) -> None:
    assert right_share(engine, rows, [row["text"] for row in rows]) >= 0.87


def test_missing_diacritics_cost_little(engine: Engine, rows: list[dict[str, str]]) -> None:
    marked = right_share(engine, rows, [row["text"] for row in rows])
    assert right_share(engine, rows, [unmarked(row["text"]) for row in rows]) >= marked - 0.05


def test_diacritics_missing_or_decomposed_never_break_the_parse(engine: Engine) -> None:
    odd = [
        "",
        " ",
        "?",
        "😀",
        "a" * 5000,
        unicodedata.normalize("NFD", "Đường hỏng nặng"),
        "\u200b",
        "1",
        "\x00",
    ]

    async def ask() -> list[dict[str, Any]]:
        return [await engine.agent.parse_message(text) for text in odd]

    assert all(0 <= answer["intent"]["confidence"] <= 1 for answer in engine.run(ask()))

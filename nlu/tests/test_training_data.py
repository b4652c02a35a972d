"""The training data's generator: enough written seeds, variants by rule, the same on every machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import yaml
from components.spelling import fold
from training.generate import examples, seeds, write
from training.variants import variants_of

NLU = Path(__file__).resolve().parents[1]
MAIN = {
    "greet", "goodbye", "thank", "affirm", "deny", "raise_concern", "ask_status", "ask_sessions", "subscribe",
    "unsubscribe", "ask_help", "support_existing", "withdraw", "chitchat", "abuse", "out_of_scope",
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, list[str]]:
    return examples()


def test_every_main_intent_has_forty_different_seeds() -> None:
    written = seeds()
    assert set(written) >= MAIN
    few = {name: len({fold(text) for text in written[name]}) for name in MAIN}
    assert {name: count for name, count in few.items() if count < 40} == {}


def test_every_intent_of_the_domain_can_be_learned(made: dict[str, list[str]]) -> None:
    domain = yaml.safe_load((NLU / "domain.yml").read_text("utf-8"))
    given_by_the_application = {"choose", "nlu_fallback"}
    assert set(domain["intents"]) - given_by_the_application == set(made)


def test_no_text_stands_under_two_intents(made: dict[str, list[str]]) -> None:
    owners: dict[str, str] = {}
    for intent, texts in made.items():
        for text in texts:
            assert owners.setdefault(text, intent) == intent, text


def test_no_example_can_be_read_as_a_command_or_an_entity(made: dict[str, list[str]], tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    count = write(path)
    assert count == sum(len(texts) for texts in made.values())
    from rasa.shared.importers.rasa import RasaFileImporter

    data = RasaFileImporter(str(NLU / "config.yml"), str(NLU / "domain.yml"), [str(path)]).get_nlu_data()
    assert len(data.intent_examples) == count
    assert data.entity_examples == []
    assert not any(m.get("text").startswith("/") for m in data.intent_examples)


def test_the_data_is_the_same_in_another_process(made: dict[str, list[str]]) -> None:
    code = "import json;from training.generate import examples;print(json.dumps(examples()))"
    other = subprocess.run(
        [sys.executable, "-c", code],
        cwd=NLU,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(other.stdout) == made


TEXT = "Đường vào trường không có đèn, người dân biết kêu ai bây giờ"


def test_variants_by_rule() -> None:
    made = variants_of(TEXT)
    assert made["written"] == TEXT
    assert made["unmarked"] == fold(TEXT).capitalize()
    assert {"ko", "k", "kg", "hok", "hông", "khong"} & set(made["teencode"].split())
    assert made["dialect"] != TEXT and unicodedata.is_normalized("NFC", made["dialect"])
    assert (
        abs(len(made["mistyped"]) - len(TEXT))
        + sum(a != b for a, b in zip(made["mistyped"], TEXT, strict=False))
        > 0
    )
    assert made["unmarked_teencode"].isascii()


def test_variants_are_deterministic_and_differ_between_texts() -> None:
    assert variants_of(TEXT) == variants_of(TEXT)
    slips = {variants_of(f"{TEXT} {n}")["mistyped"].replace(f" {n}", "") for n in range(20)}
    assert len(slips) > 5


def _measured_rows() -> list[Path]:
    folder = os.environ.get("NGHEDAN_SAMPLE_DATA") or NLU.parents[1] / "shared" / "data"
    return sorted(Path(folder).glob("*.jsonl"))


def test_no_seed_equals_a_row_that_is_measured() -> None:
    files = _measured_rows()
    if not files:
        pytest.skip("no sample data here (NGHEDAN_SAMPLE_DATA)")
    rows = {
        " ".join(json.loads(line).get("text", "").split()).lower()
        for path in files
        for line in path.read_text("utf-8").splitlines()
        if line.strip()
    }
    written = {" ".join(text.split()).lower() for texts in seeds().values() for text in texts}
    assert sorted(written & rows) == []

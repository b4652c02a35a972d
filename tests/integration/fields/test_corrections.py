"""A clerk's word on a field is kept, outlives edits, and is what the classifier learns from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.cli import app
from core.fields.corrections import UnknownField, correct_field, corrected_concerns
from core.fields.model import Correction
from storage.models import Concern, ConcernEvent
from tests.factories.records import Commune

ROOT = Path(__file__).parents[3]
WORDS = "Bãi đậu trực thăng cứu hộ cần biển chỉ dẫn cho khách"


def _correct(commune: Commune, code: str, field: str) -> bool:
    with commune.database.write() as session:
        concern = session.scalars(select(Concern).where(Concern.code == code)).one()
        return correct_field(session, concern, field, actor="staff:7", now=commune.clock.at)


def _corrections(commune: Commune) -> list[Correction]:
    with commune.database.read() as session:
        return corrected_concerns(session)


def _field_of(commune: Commune, code: str) -> str | None:
    with commune.database.read() as session:
        return session.scalars(select(Concern.field_code).where(Concern.code == code)).one()


def test_a_correction_is_an_event_and_becomes_something_to_learn(commune: Commune) -> None:
    code = commune.person().raise_concern(WORDS)

    assert _corrections(commune) == []
    assert _correct(commune, code, "van_hoa_du_lich")
    assert not _correct(commune, code, "van_hoa_du_lich")
    assert _corrections(commune) == [Correction(WORDS, "van_hoa_du_lich")]
    with commune.database.read() as session:
        event = session.scalars(select(ConcernEvent).where(ConcernEvent.kind == "field_corrected")).one()
    assert (event.actor, event.detail["to"]) == ("staff:7", "van_hoa_du_lich")


def test_the_last_word_counts_and_an_unknown_field_is_refused(commune: Commune) -> None:
    code = commune.person().raise_concern(WORDS)
    _correct(commune, code, "y_te")
    _correct(commune, code, "giao_thong")

    assert _corrections(commune) == [Correction(WORDS, "giao_thong")]
    with pytest.raises(UnknownField):
        _correct(commune, code, "the_duc")


def test_a_clerks_word_outlives_the_citizens_edit(commune: Commune) -> None:
    person = commune.person()
    code = person.raise_concern("Đường vào thôn hỏng nặng quá rồi")
    assert _field_of(commune, code) == "giao_thong"
    _correct(commune, code, "xay_dung_do_thi")
    person.step(
        "action_choose",
        f"BỔ SUNG {code}: đường còn tối, trường ở gần",
        intent="choose",
        choice=f"add_code:{code}:text",
    )

    assert _field_of(commune, code) == "xay_dung_do_thi"


def test_withdrawn_words_teach_nothing(commune: Commune) -> None:
    person = commune.person()
    code = person.raise_concern(WORDS)
    _correct(commune, code, "y_te")
    with commune.database.read() as session:
        concern_id = session.scalars(select(Concern.id).where(Concern.code == code)).one()
    person.choose(f"withdraw:yes:{concern_id}")

    assert _corrections(commune) == []


@pytest.mark.slow
def test_the_command_learns_from_a_file_and_refuses_to_get_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (ROOT / "var" / "models").is_dir():
        shutil.copytree(ROOT / "var" / "models", tmp_path / "models")
    monkeypatch.setenv("NGHEDAN_DATA_DIR", str(tmp_path))
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(json.dumps({"text": WORDS, "field": "văn hóa/du lịch"}) + "\nkhông phải JSON\n", "utf-8")
    confusing = ["Đường hỏng nặng", "Mất điện cả ngày", "Trạm y tế hết thuốc", "Rác không ai thu gom"]
    bad.write_text(
        "".join(json.dumps({"text": text, "field": "khac"}) + "\n" for text in confusing * 40), "utf-8"
    )

    refused = CliRunner().invoke(app, ["fields", "learn", "--corrections", str(bad), "--json"])
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["reason"] == "worse_on_evaluation"

    learned = CliRunner().invoke(app, ["fields", "learn", "--corrections", str(good), "--json"])
    assert learned.exit_code == 0, learned.output
    figures = json.loads(learned.stdout)
    assert figures["accepted"] is True
    assert figures["corrections"] == 1
    assert figures["after"]["accuracy_alt"] >= figures["before"]["accuracy_alt"]
    assert "Dòng 2" in learned.stderr

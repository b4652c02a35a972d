"""`nghedan evaluate groups` and `nghedan bench grouping` through the real models, on a few messages of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
CONCERNS = [
    ("a1", "Đường vào thôn Nà Lay lầy lội, xe không đi được", "giao_thong"),
    ("a2", "de nghi do be tong doan duong len ban Khe Sung", "giao_thong"),
    ("b1", "Rác ở chợ hai tuần không có xe thu gom", "moi_truong"),
    ("b2", "Bãi rác đầu thôn bốc mùi, mong dọn giúp", "moi_truong"),
    ("c1", "Trường thiếu phòng học, các cháu học nhờ nhà văn hóa", "giao_duc"),
    ("d1", "Rác ở chợ 2 tuần nay chưa có xe thu gom", "moi_truong"),
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setenv("NGHEDAN_DATA_DIR", str(ROOT / "var"))
    concerns, groups = tmp_path / "c.jsonl", tmp_path / "g.jsonl"
    rows = [{"id": i, "text": text, "field": field} for i, text, field in CONCERNS]
    concerns.write_text("\n".join(json.dumps(row) for row in rows) + "\n{\n", "utf-8")
    right = [
        {"group_id": "1", "ids": ["a1", "a2"]},
        {"group_id": "2", "ids": ["b1", "b2", "d1"]},
        {"group_id": "3", "ids": ["b1", "d1"], "level": "same_matter"},
    ]
    groups.write_text("\n".join(json.dumps(row) for row in right) + '\n{"group_id": "4"}\n', "utf-8")
    return str(concerns), str(groups)


def test_topics_are_compared_with_peoples_groups(files: tuple[str, str]) -> None:
    ran = CliRunner().invoke(
        app, ["evaluate", "groups", "--concerns", files[0], "--groups", files[1], "--json"]
    )
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert (figures["n"], figures["pairwise_precision"], figures["pairwise_recall"]) == (6, 1.0, 1.0)
    assert figures["field_purity"] == 1.0
    assert figures["baseline"]["method"] == "tfidf_hdbscan"
    assert [bad["line"] for bad in figures["bad_lines"] + figures["bad_groups"]] == [7, 4]


def test_the_offer_to_join_is_judged_by_itself(files: tuple[str, str]) -> None:
    ran = CliRunner().invoke(
        app,
        [
            "evaluate", "groups", "--concerns", files[0], "--groups", files[1],
            "--level", "same_matter", "--strip-diacritics", "0.5", "--json",
        ],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert (figures["offered"], figures["pairwise_precision"], figures["pairwise_recall"]) == (1, 1.0, 1.0)


def test_the_bench_prints_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGHEDAN_DATA_DIR", str(ROOT / "var"))
    ran = CliRunner().invoke(app, ["bench", "grouping", "--size", "300", "--json"])
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert figures["size"] == 300
    assert {"seconds", "embed_seconds", "peak_mb", "incremental_ms_p95", "baseline_seconds", "ratio"} <= set(
        figures
    )

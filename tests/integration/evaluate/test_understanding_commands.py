"""`nghedan evaluate fields|places|doors|split`: one JSON object, bad lines by number, a baseline beside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app

ROOT = Path(__file__).parents[3]


def _run(tmp_path: Path, command: str, lines: list[str], *options: str) -> tuple[dict[str, Any], str]:
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(lines) + "\n", "utf-8")
    result = CliRunner().invoke(app, ["evaluate", command, "--data", str(data), "--json", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def _row(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models of this checkout where they are built already; the commands build what is missing."""
    if (ROOT / "var" / "models").is_dir():
        shutil.copytree(ROOT / "var" / "models", tmp_path / "models")
    monkeypatch.setenv("NGHEDAN_DATA_DIR", str(tmp_path))


@pytest.mark.parametrize("options", [(), ("--strip-diacritics",)])
def test_places_counts_and_names_the_bad_lines(tmp_path: Path, options: tuple[str, ...]) -> None:
    lines = [
        _row(text="Đường ở xã Bát Xát hỏng", unit="02683"),
        "không phải JSON",
        _row(text="Xã tôi hay ngập", unit=None, candidates=[]),
        _row(text="xã Quang Kim, huyện Bát Xát", unit=2683),
        _row(text="xã Quang Kim, huyện Bát Xát", unit="02683"),
    ]
    figures, told = _run(tmp_path, "places", lines, *options)

    bad = figures.pop("bad_lines")
    assert figures == {"n": 3, "resolved": 2, "correct": 2, "wrong": 0, "asked": 1, "asked_right": 1}
    assert [line["line"] for line in bad] == [2, 4]
    assert "Dòng 2" in told and "Dòng 4" in told
    assert "Bát Xát" not in told  # What people wrote is sensitive: numbers only.


def test_a_file_that_cannot_be_read_ends_the_command(tmp_path: Path) -> None:
    data = tmp_path / "x.jsonl"
    data.write_bytes(b"\xff\xfe\x00bad")
    result = CliRunner().invoke(app, ["evaluate", "places", "--data", str(data), "--json"])

    assert result.exit_code == 1
    assert result.stdout == ""


@pytest.mark.slow
@pytest.mark.usefixtures("models")
def test_fields_are_named_by_code_or_label_and_measured_beside_the_baseline(tmp_path: Path) -> None:
    lines = [
        _row(text="Đường vào bản lầy lội", field="giao_thong"),
        _row(text="Mất điện cả ngày", field="điện/nước", field_alt=["giao thông"]),
        _row(text="Mất điện cả ngày", field="thể dục"),
    ]
    figures, _ = _run(tmp_path, "fields", lines, "--strip-diacritics")

    wanted = {"n", "accuracy", "accuracy_alt", "top2_alt", "macro_f1", "abstained", "ece", "per_field"}
    assert set(figures) == wanted | {"baseline", "bad_lines"}
    assert set(figures["baseline"]) == wanted
    assert (figures["n"], figures["accuracy_alt"]) == (2, 1.0)
    assert [line["line"] for line in figures["bad_lines"]] == [3]


@pytest.mark.slow
@pytest.mark.usefixtures("models")
def test_doors_and_split_print_their_figures(tmp_path: Path) -> None:
    doors, _ = _run(
        tmp_path,
        "doors",
        [
            _row(text="Tôi tố cáo ông chủ tịch xã nhận hối lộ 20 triệu", door="to_cao"),
            _row(text="Đường hỏng", door="normal"),
            _row(text="x", door="khác"),
        ],
    )
    assert doors["n"] == 2
    assert (doors["recall"]["to_cao"], doors["false_alarms"]) == (1.0, 0.0)
    assert [line["line"] for line in doors["bad_lines"]] == [3]

    parts = ["Đường vào thôn hỏng.", "nước sinh hoạt bị đục"]
    split, _ = _run(
        tmp_path,
        "split",
        [_row(text=f"{parts[0]} Ngoài ra {parts[1]}", parts=parts), _row(text="x", parts=[])],
    )
    bad = split.pop("bad_lines")
    assert split == {"n": 1, "exact": 1.0, "over_split": 0.0, "under_split": 0.0}
    assert [line["line"] for line in bad] == [2]

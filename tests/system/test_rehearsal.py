"""A small rehearsal of everything: every concern comes out on the agenda, every asker hears the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docx import Document

from bot.rehearsal.concerns_file import FileConcern
from bot.rehearsal.fakes.world import Platform
from bot.rehearsal.run import Plan, rehearse
from core.settings import Settings
from tests.factories.databases import need_postgresql, server_url

pytestmark = pytest.mark.slow

_MATTERS = (
    "Đường từ trung tâm xã vào bản Nậm Cang sạt lở, xe cứu thương không vào được, đề nghị làm kè chắn",
    "Truong mam non thieu phong hoc, hai lop phai hoc chung, de nghi xay them phong",
    "Nước sinh hoạt bị đục và có mùi từ đầu tháng, đề nghị kiểm tra trạm cấp nước",
    "Bãi rác gần khu dân cư bốc mùi, đề nghị chuyển đi nơi khác",
    "Gia đình tôi nộp hồ sơ cấp sổ đỏ từ năm ngoái mà chưa có kết quả, đề nghị trả lời",
    "Tram y te xa khong co bac si truc dem, ba con phai di 30 cay so, de nghi bo tri bac si",
    "Sóng điện thoại ở thôn vùng cao rất yếu, học sinh không học trực tuyến được, đề nghị lắp trạm phát sóng",
    "Lúa bị ngập do cống tiêu tắc, đề nghị nạo vét kênh mương trước mùa mưa",
    "Đèn đường ở tổ dân phố hỏng đã ba tháng, buổi tối đi lại nguy hiểm, đề nghị thay bóng",
)


def _rehearsed(folder: Path, *, faults: str, database_url: str = "") -> dict[str, Any]:
    concerns = [FileConcern(f"c{number}", text) for number, text in enumerate(_MATTERS)]
    plan = Plan(concerns, list(Platform), 6, 11, faults, database_url, folder)
    return rehearse(plan, settings=Settings(_env_file=None), say=print)


def _nothing_lost(figures: dict[str, Any]) -> None:
    assert figures["concerns_stored"] == figures["concerns_sent"] == len(_MATTERS)
    assert (figures["concerns_lost"], figures["concerns_duplicated"]) == (0, 0)
    listed = figures["concerns_listed"] + sum(figures["concerns_not_listed"].values())
    assert listed == len(_MATTERS)
    answers = figures["answers"]
    assert (answers["lost"], answers["duplicate"], answers["waiting"]) == (0, 0, 0)
    assert figures["announcement"]["duplicate"] == 0
    assert figures["violations"] == {}


def test_everything_goes_right_when_nothing_goes_wrong(tmp_path: Path) -> None:
    figures = _rehearsed(tmp_path, faults="none")

    _nothing_lost(figures)
    assert figures["answers"]["delivered"] == figures["answers"]["messages"]
    assert figures["turns_per_concern_p50"] <= 2
    assert figures["turns_first_contact_p50"] <= 4
    names = {Path(path).suffix for path in figures["agenda_files"]}
    assert names == {".docx", ".xlsx", ".csv", ".json"}
    word = next(path for path in figures["agenda_files"] if path.endswith(".docx"))
    table_text = "\n".join(c.text for t in Document(word).tables for r in t.rows for c in r.cells)
    assert "Nậm Cang" in table_text


@pytest.mark.postgresql
def test_nothing_is_lost_when_every_program_is_killed(tmp_path: Path) -> None:
    need_postgresql()
    url = server_url().render_as_string(hide_password=False)
    figures = _rehearsed(tmp_path, faults="chaos", database_url=url)

    _nothing_lost(figures)
    assert {"rasa", "actions", "app"} <= set(figures["kills"])

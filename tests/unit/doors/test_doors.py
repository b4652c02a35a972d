"""Which door a message knocks at, with the words that say so."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.doors import DOORS, DoorModel, check_door, ensure, find_personal_data, missing_detail
from core.doors.evaluation import DoorRow, evaluate_doors
from core.doors.features import concept_names
from core.doors.model import key
from core.doors.samples import families, write
from core.places import Gazetteer
from core.places.tokens import without_marks
from core.text.normal import clean

GAZETTEER = Gazetteer.load()


def _rows(name: str) -> list[DoorRow]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [DoorRow(row["text"], row["door"]) for row in map(json.loads, lines)]


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("name", ["doors_dev.jsonl", "doors_fresh.jsonl", "doors_third.jsonl"])
def test_development_messages_go_to_their_doors(door_model: DoorModel, name: str, stripped: bool) -> None:
    rows = [DoorRow(without_marks(r.text) if stripped else r.text, r.door) for r in _rows(name)]
    score = evaluate_doors(rows, model=door_model)

    assert (score.recall["to_cao"] or 0) >= 0.85
    assert (score.recall["khieu_nai"] or 0) >= 0.9
    assert (score.recall["khan"] or 0) >= 0.85
    assert (score.false_alarms or 0) <= 0.02


@pytest.mark.parametrize(
    "text",
    [
        "Tham nhũng hết rồi hay sao mà đường thôn tôi ba năm không ai sửa",
        "Xin hỏi muốn tố cáo cán bộ thì gửi đơn ở đâu ạ",
        "Tôi không tố cáo ai, chỉ mong xã sửa con đường",
        "Bực mình quá, hứa suông mãi, điện vẫn chập chờn, cán bộ đi đâu hết",
        "Đề nghị tập huấn phòng cháy chữa cháy cho thôn",
        "Đm đường gì mà đi như đi cày, sửa nhanh đi",
        "Cảm ơn chú công an xã đã làm căn cước cho mẹ tôi tại nhà",
        "Bao giờ họp",
    ],
)
def test_angry_or_asking_messages_stay_normal(door_model: DoorModel, text: str) -> None:
    assert check_door(text, model=door_model).door == "normal"
    assert check_door(without_marks(text), model=door_model).door == "normal"


def test_a_denunciation_without_the_word_is_noticed_with_its_reasons(door_model: DoorModel) -> None:
    text = "ông chủ tịch xã cầm của tôi 20 triệu mới ký giấy"
    suggestion = check_door(text, model=door_model)

    assert suggestion.door == "to_cao"
    assert {"cầm của", "mới ký"} & {reason.text for reason in suggestion.reasons} or any(
        "20 triệu" in reason.text for reason in suggestion.reasons
    )
    assert all(text[r.start : r.end] == r.text for r in suggestion.reasons)
    assert all(r.label for r in suggestion.reasons)


def test_every_suggestion_but_normal_shows_words(door_model: DoorModel) -> None:
    for sample in write(families(), per_family=3, seed=5):
        suggestion = check_door(sample.text, model=door_model)
        assert suggestion.door in DOORS
        assert bool(suggestion.reasons) == (suggestion.door != "normal")


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_is_checked_without_an_error(door_model: DoorModel, text: str) -> None:
    suggestion = check_door(text, model=door_model)

    assert 0.0 <= suggestion.confidence <= 1.0
    assert all(clean(text)[r.start : r.end] == r.text for r in suggestion.reasons)


def test_a_message_is_checked_in_milliseconds(door_model: DoorModel) -> None:
    text = (
        "Ông chủ tịch xã đòi tôi 5 triệu mới ký giấy, đường thì hỏng, tôi khiếu nại mãi không ai trả lời. "
        * 6
    )
    times = []
    for _ in range(15):
        started = time.process_time()
        check_door(text, model=door_model)
        times.append(time.process_time() - started)

    assert sorted(times)[-2] < 0.04


def test_the_model_is_built_once_and_its_file_is_named_by_its_sources(
    tmp_path: Path, door_model: DoorModel
) -> None:
    door_model.save(tmp_path / f"doors-{key()}.npz")
    lines: list[str] = []
    loaded = ensure(tmp_path, lines.append)

    assert lines == []
    assert loaded.doors == door_model.doors
    text = "Ông trưởng thôn lấy tiền hỗ trợ của dân"
    assert check_door(text, model=loaded).door == check_door(text, model=door_model).door


def test_every_idea_has_a_name_for_staff() -> None:
    assert all(name.strip() for name in concept_names().values())


def test_telephone_and_card_numbers_and_named_people_are_personal_data() -> None:
    text = clean("Ông Trần Văn Bảy, số 0912 345 678, CCCD 015082001234, nhà ở đường Nguyễn Huệ")
    found = {(d.kind, d.text) for d in find_personal_data(text)}

    assert found == {("person", "Ông Trần Văn Bảy"), ("phone", "0912 345 678"), ("id_number", "015082001234")}


def test_a_writer_who_gives_the_own_name_is_no_other_person() -> None:
    assert find_personal_data("Tôi tên anh Hùng, ở thôn 5") == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hỏng rồi", "object"),
        ("đề nghị giải quyết", "object"),
        ("bức xúc quá", "object"),
        ("đường hỏng", "place"),
    ],
)
def test_a_message_too_thin_to_act_on_lacks_one_thing(text: str, what: str) -> None:
    missing = missing_detail(text, GAZETTEER.find(text, province="15"))

    assert missing is not None and missing.what == what
    assert missing.question == f"detail.{what}"


@pytest.mark.parametrize(
    "text",
    [
        "Đường vào thôn Bản Vai hỏng nặng",
        "xã Bát Xát mất nước ba ngày rồi",
        "Tiền trợ cấp người cao tuổi chậm ba tháng",
        "Đề nghị tăng phụ cấp cho y tế thôn bản",
        "cột điện trước nhà tôi sắp đổ",
        "Bao giờ có kết quả hồ sơ đất của tôi",
    ],
)
def test_a_message_that_can_be_acted_on_is_not_asked_back(text: str) -> None:
    assert missing_detail(text, GAZETTEER.find(text, province="15")) is None
    stripped = without_marks(text)
    assert missing_detail(stripped, GAZETTEER.find(stripped, province="15")) is None


def test_real_concerns_are_hardly_ever_asked_back() -> None:
    rows = [
        row
        for name in ("doors_dev.jsonl", "doors_fresh.jsonl")
        for row in _rows(name)
        if row.door == "normal"
    ]
    asked = [row.text for row in rows if missing_detail(row.text, GAZETTEER.find(row.text, province="15"))]

    assert len(asked) <= 0.04 * len(rows), asked

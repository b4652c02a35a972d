"""Typed answers and whole messages, as people write them."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.places import Gazetteer
from core.places.evaluation import PlaceRow, evaluate_places
from core.places.samples import rows
from core.places.tokens import aligned_fold, without_marks
from core.text.normal import clean

GAZETTEER = Gazetteer.load()
MESSAGES = [
    json.loads(line) for line in Path(__file__).with_name("messages.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("typed", "full_name"),
    [
        ("bat xat", "Xã Bát Xát"),
        ("xa Bát Xát, Lào Cai", "Xã Bát Xát"),
        ("TT Sa Pa", "Phường Sa Pa"),
        ("quang kim", "Xã Bát Xát"),
        ("p. Duyên Hải", "Phường Lào Cai"),
        ("phường phố mới", "Phường Lào Cai"),
        ("ubnd xã Võ Lao", "Xã Võ Lao"),
        ("em ở xã y tý ạ", "Xã Y Tý"),
        ("bat xatt", "Xã Bát Xát"),
        ("quag kim", "Xã Bát Xát"),
        ("Bats Xats", "Xã Bát Xát"),
        ("xa minh quan, huyen tran yen, yen bai cũ, phường Âu Lâu", "Phường Âu Lâu"),
        ("xã Na Hối", "Xã Bắc Hà"),
        ("tt khánh yên", "Xã Văn Bàn"),
        ("xã Khánh Yên", "Xã Khánh Yên"),
        (unicodedata.normalize("NFD", "xã Bát Xát"), "Xã Bát Xát"),
    ],
)
def test_a_typed_answer_names_its_commune(typed: str, full_name: str) -> None:
    answer = GAZETTEER.resolve(typed, province="15")

    assert answer.status == "resolved"
    assert answer.unit is not None and answer.unit.full_name == full_name


@pytest.mark.parametrize(
    ("typed", "among"),
    [
        ("phường Nam Cường", {"Phường Nam Cường", "Phường Cam Đường"}),
        ("xa tan thinh", {"Phường Văn Phú", "Xã Chấn Thịnh"}),
        ("khanh yen", {"Xã Khánh Yên", "Xã Văn Bàn"}),
    ],
)
def test_a_name_with_two_meanings_asks_with_both(typed: str, among: set[str]) -> None:
    answer = GAZETTEER.resolve(typed, province="15")

    assert answer.status == "ambiguous"
    assert among <= {unit.full_name for unit in answer.candidates}


def test_namesakes_all_over_the_country_ask_when_no_province_is_known() -> None:
    answer = GAZETTEER.resolve("xã Tân Tiến")

    assert answer.status == "ambiguous"
    assert len({u.province_code for u in answer.candidates}) >= 3
    assert len(answer.candidates) <= 5


def test_the_province_in_the_text_wins_over_the_province_of_the_installation() -> None:
    answer = GAZETTEER.resolve("xã Tân Tiến, tỉnh Lạng Sơn", province="15")

    assert answer.unit is not None and answer.unit.province_code == "20"


def test_a_near_unit_breaks_a_tie() -> None:
    unsure = GAZETTEER.resolve("xa tan thinh", province="15")
    sure = GAZETTEER.resolve("xa tan thinh", province="15", near=[unsure.candidates[1].code])

    assert unsure.unit is None
    assert sure.unit == unsure.candidates[1]


def test_an_old_district_alone_is_no_commune_but_offers_its_communes() -> None:
    answer = GAZETTEER.find("huyện Bát Xát nhiều nơi mất sóng", province="15").commune

    assert answer.unit is None
    assert answer.candidates[0].full_name == "Xã Bát Xát"


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row["text"][:40])
def test_a_message_names_the_commune_it_is_about(row: dict[str, str | None], stripped: bool) -> None:
    text = row["text"]
    assert text is not None
    answer = GAZETTEER.find(without_marks(text) if stripped else text, province="15").commune

    if row["unit"] is None:
        assert answer.unit is None
    else:
        # Without diacritics a few names mean two communes: then the right one is among the choices.
        offered = {answer.unit.code} if answer.unit else {u.code for u in answer.candidates}
        assert row["unit"] in offered
        assert stripped or answer.unit is not None


def test_hamlets_roads_and_landmarks_keep_the_writers_words() -> None:
    text = "Điểm sạt trên quốc lộ 4D, gần cầu Móng Sến, thôn Bản Khoang, xã Ngũ Chỉ Sơn; trạm y tế ở tổ 7"
    found = GAZETTEER.find(text, province="15")

    assert [s.text for s in found.hamlets] == ["thôn Bản Khoang", "tổ 7"]
    assert "quốc lộ 4D" in [s.text for s in found.roads]
    assert "trạm y tế" in [s.text for s in found.landmarks]
    assert all(found.text[s.span.start : s.span.end] == s.span.text for s in found.surroundings)


@pytest.mark.parametrize(("province", "least_resolved"), [("15", 0.96), (None, 0.92)])
@pytest.mark.parametrize("stripped", [False, True])
def test_generated_messages_resolve_rightly(
    province: str | None, least_resolved: float, stripped: bool
) -> None:
    samples = [row for row in rows(GAZETTEER, count=500, seed=11, province=province) if row.unit]
    score = evaluate_places(
        GAZETTEER,
        [
            PlaceRow(aligned_fold(clean(r.text)) if stripped else r.text, r.unit, r.candidates)
            for r in samples
        ],
        province=province,
    )

    assert score.correct / score.resolved >= 0.98
    assert score.resolved / score.n >= least_resolved


def test_one_message_takes_milliseconds() -> None:
    text = "Tôi ở thôn Bản Vai xã Quang Kim huyện Bát Xát, đường hỏng, điện yếu, đề nghị xã xem lại. " * 6
    times = []
    for _ in range(15):
        started = time.process_time()
        GAZETTEER.find(text, province="15")
        times.append(time.process_time() - started)

    assert sorted(times)[-2] < 0.05


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error_and_spans_fit(text: str) -> None:
    found = GAZETTEER.find(text, province="15")
    GAZETTEER.resolve(text)

    for surrounding in found.surroundings:
        assert found.text[surrounding.span.start : surrounding.span.end] == surrounding.span.text
    if found.commune.span is not None:
        assert found.text[found.commune.span.start : found.commune.span.end] == found.commune.span.text


@given(st.text(max_size=60))
def test_the_aligned_fold_keeps_every_position(text: str) -> None:
    cleaned = clean(text)

    assert len(aligned_fold(cleaned)) == len(cleaned)
    assert len(without_marks(cleaned)) >= len(clean(cleaned)) - 1

"""The gazetteer against the numbers of the law, and every unit against its own name."""

from __future__ import annotations

from collections import Counter

import pytest

from core.places import Gazetteer
from core.places.source import read_draft_codes, read_rows
from core.places.tokens import without_marks


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def test_it_has_the_units_of_the_two_level_government(gazetteer: Gazetteer) -> None:
    kinds = [u.kind for p in gazetteer.provinces for u in gazetteer.communes_of(p.code)]

    assert len(gazetteer.provinces) == 34
    assert len(kinds) == 3321
    assert (kinds.count("Xã"), kinds.count("Phường"), kinds.count("Đặc khu")) == (2621, 687, 13)


def test_lao_cai_has_99_communes(gazetteer: Gazetteer) -> None:
    communes = gazetteer.communes_of("15")

    assert len(communes) == 99
    assert sum(u.kind == "Phường" for u in communes) == 10
    assert gazetteer.province("15").full_name == "Tỉnh Lào Cai"  # type: ignore[union-attr]


def test_every_current_unit_resolves_to_itself(gazetteer: Gazetteer) -> None:
    wrong = []
    for province in gazetteer.provinces:
        for unit in gazetteer.communes_of(province.code):
            answer = gazetteer.resolve(f"{unit.full_name}, {province.full_name}")
            if answer.unit != unit:
                wrong.append((unit.full_name, province.name, answer.status))

    assert not wrong


def test_without_diacritics_only_names_of_the_same_letters_ask(gazetteer: Gazetteer) -> None:
    for province in gazetteer.provinces:
        bare_names = Counter(without_marks(u.name) for u in gazetteer.communes_of(province.code))
        for unit in gazetteer.communes_of(province.code):
            answer = gazetteer.resolve(without_marks(f"{unit.full_name}, {province.full_name}"))
            if bare_names[without_marks(unit.name)] > 1:
                assert answer.unit == unit or unit in answer.candidates
            else:
                assert answer.unit == unit, unit.full_name


def test_every_old_commune_with_its_full_chain_resolves_to_one_of_its_targets(gazetteer: Gazetteer) -> None:
    wrong = []
    for old in read_rows().old:
        if old.kind == "Huyện":
            continue  # The island districts had no commune level.
        name = old.name if old.name.startswith(old.kind) else f"{old.kind} {old.name}"
        answer = gazetteer.resolve(f"{name}, {old.district_kind} {old.district}, {old.province}")
        offered = {answer.unit.code} if answer.unit else {unit.code for unit in answer.candidates}
        if offered.isdisjoint(old.targets):
            wrong.append((name, old.district))

    assert not wrong


def test_a_code_of_the_draft_list_is_an_alias_of_the_same_unit(gazetteer: Gazetteer) -> None:
    cam_duong = gazetteer.unit("02671")
    draft = read_draft_codes()

    assert cam_duong is not None and cam_duong.full_name == "Phường Cam Đường"
    if draft:
        assert gazetteer.codes(cam_duong) == {"02671", draft["15", "Phường Cam Đường"]}


def test_a_draft_code_that_is_someone_elses_code_of_record_means_that_unit(gazetteer: Gazetteer) -> None:
    by_name = {u.name: u for u in gazetteer.communes_of("04")}

    assert gazetteer.unit(by_name["Vinh Quý"].code) == by_name["Vinh Quý"]
    assert gazetteer.unit(by_name["Lý Quốc"].code) == by_name["Lý Quốc"]


def test_unknown_codes_are_no_unit(gazetteer: Gazetteer) -> None:
    assert gazetteer.unit("99999") is None
    assert gazetteer.unit("") is None
    assert gazetteer.province("02683") is None
    assert gazetteer.communes_of("99") == ()

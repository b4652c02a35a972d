"""A unit's own names for the fields: what its people read, on the confirmation and on the agenda."""

from __future__ import annotations

import pytest

from core.agenda.build import build
from core.fields.names import FieldNameError, field_names, rename_field
from tests.factories.plain_reader import BAC_HA, BAT_XAT
from tests.factories.queries import counted
from tests.factories.records import Commune

ROAD = "Đường vào thôn hỏng nặng quá rồi"


def _rename(commune: Commune, unit_code: str, code: str, name: str) -> None:
    with commune.database.write() as session:
        rename_field(session, unit_code=unit_code, code=code, name=name)


def _name(commune: Commune, unit_code: str | None, code: str) -> str | None:
    with commune.database.read() as session:
        return field_names(session, unit_code)(code)


def test_a_communes_name_goes_before_its_provinces_and_that_before_the_catalogues(commune: Commune) -> None:
    _rename(commune, "15", "giao_thong", "đường sá, cầu cống")
    _rename(commune, BAT_XAT.code, "giao_thong", "  đường   bản ")

    assert _name(commune, BAT_XAT.code, "giao_thong") == "đường bản"
    assert _name(commune, BAC_HA.code, "giao_thong") == "đường sá, cầu cống"
    assert _name(commune, None, "giao_thong") == "giao thông"
    assert _name(commune, BAT_XAT.code, "the_duc") is None

    _rename(commune, BAT_XAT.code, "giao_thong", "")
    assert _name(commune, BAT_XAT.code, "giao_thong") == "đường sá, cầu cống"


@pytest.mark.parametrize(
    ("unit", "code", "name", "why"),
    [
        ("99999", "giao_thong", "đường", "unit_unknown"),
        ("15", "the_duc", "đường", "field_unknown"),
        ("15", "giao_thong", "đ" * 61, "field_name_long"),
        ("15", "giao_thong", "Y tế", "field_name_taken"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    commune: Commune, unit: str, code: str, name: str, why: str
) -> None:
    with pytest.raises(FieldNameError) as refused:
        _rename(commune, unit, code, name)
    assert refused.value.code == why


def test_people_read_their_units_name_and_it_costs_one_query(commune: Commune) -> None:
    session_id = commune.collecting()
    _rename(commune, BAT_XAT.code, "giao_thong", "đường bản")
    _rename(commune, "15", "giao_thong", "đường sá, cầu cống")
    person = commune.person()

    person.tell(ROAD)
    assert "đường bản" in (person.heard()[-1].text or "")
    person.confirm()

    with commune.database.read() as session:
        assert build(session, session_id=session_id).fields[0].label == "đường sá, cầu cống"
        with counted(commune.database) as queries:
            field_names(session, BAT_XAT.code)
    assert len(queries) == 1

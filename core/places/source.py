"""The gazetteer's raw rows, read from the data files of two installed packages without importing them.

`vietnamadminunits` (MIT) has the list of record, the units before July 2025 and the old-to-new mapping;
importing it would load its geometry libraries, so only its files are opened. `vietnam-provinces` gives the
codes of the draft list, which are accepted as aliases (see docs/decisions/place-codes.md).
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class GazetteerDataMissing(RuntimeError):
    """The package vietnamadminunits is not installed or its data files have moved."""


@dataclass(frozen=True, slots=True)
class CurrentRow:
    """A commune-level unit after 1 July 2025; `key` is unique within `province_key`."""

    code: str
    name: str
    kind: str
    key: str
    province_key: str


@dataclass(frozen=True, slots=True)
class OldRow:
    """A commune before 1 July 2025, with what came of it: `targets` are current codes, the main one first."""

    name: str
    kind: str
    district_key: str
    district: str
    district_kind: str
    province_key: str
    province: str
    aliases: tuple[str, ...]
    district_aliases: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that the packages say. `provinces` maps a province key to (code, name with its kind)."""

    provinces: dict[str, tuple[str, str]]
    new_province_of: dict[str, str]
    current: list[CurrentRow]
    old: list[OldRow]


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def read_rows() -> Rows:
    """Read the list of record and the mapping; raises `GazetteerDataMissing`."""
    folder = _folder("vietnamadminunits")
    if folder is None or not (folder / "data" / "dataset.db").is_file():
        raise GazetteerDataMissing("vietnamadminunits/data/dataset.db")
    converter = json.loads((folder / "data" / "converter_2025.json").read_text("utf-8"))
    database = sqlite3.connect(f"{(folder / 'data' / 'dataset.db').as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        provinces = {
            key: (code, name)
            for key, code, name in database.execute(
                "SELECT DISTINCT provinceKey, provinceCode, province FROM admin_units"
            )
        }
        current = [
            CurrentRow(*row)
            for row in database.execute(
                "SELECT wardCode, wardShort, wardType, wardKey, provinceKey"
                " FROM admin_units ORDER BY wardCode"
            )
        ]
        old = _old_rows(database, _targets(converter, current))
    finally:
        database.close()
    new_province_of = {old_key: key for key, olds in converter["DICT_PROVINCE"].items() for old_key in olds}
    return Rows(provinces, new_province_of, current, old)


def _targets(converter: dict[str, Any], current: list[CurrentRow]) -> dict[str, list[str]]:
    """Old commune key (`province_district_commune`) to current codes, the default one first."""
    codes = {(row.province_key, row.key): row.code for row in current}
    found: dict[str, list[str]] = {}
    for province, wards in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, olds in wards.items():
            for old in olds:
                found.setdefault(old, []).append(codes[province, ward])
    for province, olds_divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old, parts in olds_divided.items():
            ordered = sorted(parts, key=lambda part: not part["isDefaultNewWard"])
            found.setdefault(old, []).extend(codes[province, part["newWardKey"]] for part in ordered)
    return found


def _old_rows(database: sqlite3.Connection, targets: dict[str, list[str]]) -> list[OldRow]:
    rows = []
    query = (
        "SELECT provinceKey, province, districtKey, districtShort, districtType, districtAlias,"
        " wardKey, wardShort, wardType, wardAlias FROM admin_units_legacy"
    )
    for (
        province_key,
        province,
        district_key,
        district,
        district_kind,
        d_alias,
        key,
        name,
        kind,
        alias,
    ) in database.execute(query):
        # Five island districts had no communes: the district itself became the unit.
        rows.append(
            OldRow(
                name=(name or district).split(" (")[0],  # "Yên Viên (Thị trấn)" beside "Yên Viên"
                kind=kind or district_kind,
                district_key=f"{province_key}_{district_key}",
                district=district,
                district_kind=district_kind,
                province_key=province_key,
                province=province,
                aliases=tuple(json.loads(alias)) if alias else (),
                district_aliases=tuple(json.loads(d_alias)) if d_alias else (),
                targets=tuple(dict.fromkeys(targets[f"{province_key}_{district_key}_{key or ''}"])),
            )
        )
    return rows


def read_draft_codes() -> dict[tuple[str, str], str]:
    """(province code, commune name with its kind) to the code of the draft list; empty when not installed."""
    folder = _folder("vietnam_provinces")
    path = folder / "data" / "nested-divisions.json" if folder else None
    if path is None or not path.is_file():
        return {}
    return {
        (f"{province['code']:02d}", ward["name"]): f"{ward['code']:05d}"
        for province in json.loads(path.read_text("utf-8"))
        for ward in province["wards"]
    }


def read_common_words() -> frozenset[str]:
    """Lower-case entries of a Vietnamese word list, as written there; empty when it is not installed."""
    folder = _folder("underthesea")
    path = folder / "corpus" / "data" / "Viet74K.txt" if folder else None
    if path is None or not path.is_file():
        return frozenset()
    lines = path.read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if " " in line and line == line.lower())

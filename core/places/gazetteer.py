"""The gazetteer: 34 provinces and 3,321 commune-level units after 1 July 2025, old names as aliases.

Built in memory from the packages' files in a few tenths of a second, so nothing is cached on disk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.places.answers import FoundPlaces, PlaceAnswer, Unit
from core.places.source import Rows, read_common_words, read_draft_codes, read_rows
from core.places.tokens import aligned_fold, marks, tokenize
from core.text.normal import clean

Era = Literal["current", "old"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a commune: `targets` are current codes, the main one first.

    `key` is the folded name, words joined by one space; `signature` the marks of each word, empty for names
    known
    only without diacritics. `districts` are old district keys, `old_provinces` old province keys.
    """

    key: str
    kind: str
    era: Era
    province: str
    districts: frozenset[str]
    old_provinces: frozenset[str]
    targets: tuple[str, ...]
    signature: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class District:
    """A district that existed until July 2025; `key` is `<old province>_<district>`, `province` a current
    code.
    """

    key: str
    name: str
    kind: str
    province: str
    old_province: str


@dataclass(frozen=True, slots=True)
class Province:
    """A province name: `code` is the current province; `old` the old province's key, empty for a current
    name.
    """

    code: str
    name: str
    old: str


@dataclass(slots=True)
class Index:
    """Everything that is looked up by name. Keys are folded; those of `joined`, `given_up` (names that ended
    before 2025) and `districts_joined` have no spaces."""

    communes: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    joined: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    given_up: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    districts: dict[str, list[District]] = field(default_factory=lambda: defaultdict(list))
    districts_joined: dict[str, list[District]] = field(default_factory=lambda: defaultdict(list))
    provinces: dict[str, list[Province]] = field(default_factory=lambda: defaultdict(list))
    common: frozenset[str] = frozenset()
    common_folded: frozenset[str] = frozenset()
    longest: int = 0
    _by_syllable: dict[tuple[int, int, str], list[str]] = field(default_factory=dict)

    def named(self, key: str) -> tuple[Entry, ...]:
        """Every commune that has or had this name."""
        return (*self.communes.get(key, ()), *self.given_up.get(key.replace(" ", ""), ()))

    def similar_keys(self, syllables: Sequence[str]) -> set[str]:
        """Commune keys of as many words that share at least one word in place (a misspelling changes few)."""
        if not self._by_syllable:
            for key in self.communes:
                parts = key.split()
                for position, part in enumerate(parts):
                    self._by_syllable.setdefault((len(parts), position, part), []).append(key)
        found: set[str] = set()
        for position, part in enumerate(syllables):
            found.update(self._by_syllable.get((len(syllables), position, part), ()))
        return found


class Gazetteer:
    """Units by code, and the two ways of finding one in text. Read-only after `load`, safe to share."""

    def __init__(self, units: dict[str, Unit], index: Index, aliases: dict[str, str]) -> None:
        self._units = units
        self.index = index
        self._draft = aliases
        self._draft_units = {draft: code for code, draft in aliases.items() if draft not in units}
        self._children: dict[str, list[Unit]] = defaultdict(list)
        for unit in units.values():
            if len(unit.code) == 5:
                self._children[unit.province_code].append(unit)

    @classmethod
    def load(cls) -> Gazetteer:
        """Read the packages and build the indexes (about 0.3 s); raises `GazetteerDataMissing`."""
        rows = read_rows()
        units = _units(rows)
        return cls(units, _build_index(rows, read_common_words()), _draft_aliases(units))

    def unit(self, code: str) -> Unit | None:
        """The commune or province with this code; a code of the draft list is taken where it is no one
        else's.
        """
        return self._units.get(code) or self._units.get(self._draft_units.get(code, ""))

    def province(self, code: str) -> Unit | None:
        """The province with this two-digit code."""
        return self._units.get(code) if len(code) == 2 else None

    @property
    def provinces(self) -> tuple[Unit, ...]:
        """The 34 provinces, by code."""
        return tuple(sorted((u for u in self._units.values() if len(u.code) == 2), key=lambda u: u.code))

    def communes_of(self, province_code: str) -> tuple[Unit, ...]:
        """The commune-level units of a province, by code; empty for an unknown province."""
        return tuple(self._children.get(province_code, ()))

    def codes(self, unit: Unit) -> frozenset[str]:
        """Every code that means this unit: the one of record and, where it differs, the draft one."""
        return frozenset({unit.code, self._draft.get(unit.code, unit.code)})

    def resolve(self, text: str, *, province: str | None = None, near: Sequence[str] = ()) -> PlaceAnswer:
        """The commune meant by a typed answer such as "quang kim bat xat" or "TT Sa Pa", typos allowed.

        `province` is the province code of the installation: its units win over namesakes elsewhere unless the
        text names another province. `near` are codes that break ties. Spans point into `clean(text)`.
        """
        from core.places.reading import resolve_typed

        return resolve_typed(self, clean(text), province=province, near=near)

    def find(self, text: str, *, province: str | None = None) -> FoundPlaces:
        """The commune, hamlets, roads and landmarks that a whole message mentions; see `resolve`."""
        from core.places.reading import find_places

        return find_places(self, clean(text), province=province)


def _units(rows: Rows) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for code, full_name in rows.provinces.values():
        kind = next(kind for kind in ("Thành phố", "Tỉnh") if full_name.startswith(kind))
        units[code] = Unit(code, full_name.removeprefix(kind).strip(), kind, code, full_name)
    for row in rows.current:
        province_code = rows.provinces[row.province_key][0]
        full_name = row.name if row.name.startswith(row.kind) else f"{row.kind} {row.name}"
        units[row.code] = Unit(row.code, row.name, row.kind, province_code, full_name)
    return units


def _draft_aliases(units: dict[str, Unit]) -> dict[str, str]:
    """Code of record to draft code, where they differ; names are compared folded, with their marks sorted."""
    draft = {(province, _exact_key(name)): code for (province, name), code in read_draft_codes().items()}
    found = {
        unit.code: draft.get((unit.province_code, _exact_key(unit.full_name)), unit.code)
        for unit in units.values()
        if len(unit.code) == 5
    }
    return {code: alias for code, alias in found.items() if alias != code}


def _exact_key(name: str) -> str:
    tokens = tokenize(clean(name))
    return " ".join(token.folded + marks(token.text) for token in tokens)


def _name_key(name: str) -> tuple[str, tuple[str, ...]]:
    tokens = tokenize(clean(name))
    return " ".join(t.folded for t in tokens), tuple(marks(t.text) for t in tokens)


def _build_index(rows: Rows, common: frozenset[str]) -> Index:
    index = Index(common=common, common_folded=frozenset(aligned_fold(word) for word in common))
    _add_provinces(index, rows)
    _add_districts(index, rows)
    _add_current(index, rows)
    _add_old(index, rows)
    index.longest = max(key.count(" ") + 1 for key in index.communes)
    for key, entries in list(index.communes.items()):
        index.joined[key.replace(" ", "")].extend(entries)
    return index


_PROVINCE_SHORT = {"hn": "01", "tphcm": "79", "hcm": "79", "sai gon": "79", "sg": "79", "dak lak": "66"}


def _add_provinces(index: Index, rows: Rows) -> None:
    for code, full_name in rows.provinces.values():
        name = full_name.removeprefix("Tỉnh ").removeprefix("Thành phố ")
        index.provinces[_name_key(name)[0]].append(Province(code, name, ""))
    for short, code in _PROVINCE_SHORT.items():
        index.provinces[short].append(Province(code, short, ""))
    seen = {row.province_key: row.province for row in rows.old}
    for old_key, full_name in seen.items():
        code = rows.provinces[rows.new_province_of[old_key]][0]
        name = full_name.removeprefix("Tỉnh ").removeprefix("Thành phố ")
        for part in {name, *name.split(" - ")}:  # "Vũng Tàu" for "Bà Rịa - Vũng Tàu"
            index.provinces[_name_key(part)[0]].append(Province(code, name, old_key))


_DISTRICT_KINDS = ("thanhpho", "thixa", "huyen", "quan")


def _add_districts(index: Index, rows: Rows) -> None:
    seen: set[str] = set()
    for row in rows.old:
        if row.district_key in seen:
            continue
        seen.add(row.district_key)
        code = rows.provinces[rows.new_province_of[row.province_key]][0]
        district = District(row.district_key, row.district, row.district_kind, code, row.province_key)
        index.districts[_name_key(row.district)[0].removeprefix("quan ")].append(district)
        for alias in (*row.district_aliases, _name_key(row.district)[0].replace(" ", "")):
            bare = next((alias.removeprefix(k) for k in _DISTRICT_KINDS if alias.startswith(k)), alias)
            index.districts_joined[bare].append(district)


def _add_current(index: Index, rows: Rows) -> None:
    came_from: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for old in rows.old:
        for code in old.targets:
            came_from[code].append((old.district_key, old.province_key))
    for row in rows.current:
        key, signature = _name_key(row.name)
        entry = Entry(
            key=key,
            kind=aligned_fold(row.kind),
            era="current",
            province=rows.provinces[row.province_key][0],
            districts=frozenset(district for district, _ in came_from[row.code]),
            old_provinces=frozenset(province for _, province in came_from[row.code]),
            targets=(row.code,),
            signature=signature,
        )
        index.communes[key].append(entry)


def _add_old(index: Index, rows: Rows) -> None:
    for row in rows.old:
        key, signature = _name_key(row.name)
        entry = Entry(
            key=key,
            kind=aligned_fold(row.kind),
            era="old",
            province=rows.provinces[rows.new_province_of[row.province_key]][0],
            districts=frozenset({row.district_key}),
            old_provinces=frozenset({row.province_key}),
            targets=row.targets,
            signature=signature,
        )
        index.communes[key.removeprefix("phuong ") if key[-1].isdigit() else key].append(entry)
        for alias in row.aliases:
            _add_alias(index, entry, aligned_fold(alias))


def _add_alias(index: Index, entry: Entry, alias: str) -> None:
    """Names given up before 2025 are known only as one folded word, with or without the kind in front."""
    for kind in ("thitran", "phuong", "xa"):
        bare = alias.removeprefix(kind)
        if bare != alias and len(bare) >= 4:
            folded_kind = {"thitran": "thi tran"}.get(kind, kind)
            index.given_up[bare].append(replace(entry, key=bare, kind=folded_kind, signature=()))
            return

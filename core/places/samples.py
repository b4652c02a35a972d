"""Made-up messages with known communes, for measuring the place rules while developing.

Seeded: the same numbers give the same rows. The rows share the gazetteer with the rules but none of their
code:
what a name means is worked out here from the units' lists alone.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from core.places.gazetteer import Gazetteer
from core.places.source import OldRow, Rows, read_rows
from core.places.tokens import aligned_fold

_MESSAGES = (
    "Đường vào {hamlet}, {place} hỏng nặng mấy năm nay, đề nghị sửa sớm",
    "{place} mất nước sinh hoạt cả tuần rồi, bà con phải đi xin từng can",
    "Tôi ở {hamlet} {place}. Cột điện trước nhà nghiêng lắm rồi mà báo mãi chưa ai xuống",
    "đề nghị xem lại việc thu gom rác ở {place}, hai tuần mới có xe một lần",
    "Bao giờ {place} có sóng 4G ạ? {hamlet} chỗ chúng tôi gọi điện không được",
    "Trạm y tế {place} hết thuốc bảo hiểm suốt, người già đi lại khổ quá",
    "Kính gửi lãnh đạo tỉnh, bà con {hamlet} - {place} mong được hỗ trợ làm nhà sau lũ",
    "cầu treo sang {hamlet} thuộc {place} hỏng ván, trẻ con đi học nguy hiểm",
    "Ở {place} cứ mưa to là ngập, cống bé quá",
    "xin hỏi bao giờ làm xong kênh mương ở {place}",
    "Hồ sơ đất của tôi nộp ở {place} ba tháng chưa thấy trả lời",
    "Lợn chết vứt đầy suối, {hamlet}, {place}",
    "{hamlet} {place} chưa có điện lưới, bao giờ kéo điện cho dân",
    "Trường tiểu học ở {place} thiếu phòng học, các cháu học nhờ nhà văn hóa",
    "nhà tôi thuộc {place}, bị thu hồi đất làm đường mà chưa được đền bù",
    "Đoạn quốc lộ qua {place} sạt lở, xe không đi được",
    "người dân {place} phản ánh mỏ đá nổ mìn nứt nhà",
    "Tại {place} có mấy hộ nuôi bò thả rông phá ngô",
)
_HAMLETS = (
    "thôn {n}",
    "tổ {n}",
    "thôn Bản Vai",
    "bản Nậm Pung",
    "xóm Đồng Tâm",
    "thôn Tân Tiến",
    "tổ dân phố số {n}",
    "thôn Khe Sang",
    "đội {n}",
    "thôn Làng Mới",
)
_SHORT = {
    "Xã": ("xã", "x.", "Xã"),
    "Phường": ("phường", "P.", "p."),
    "Thị trấn": ("thị trấn", "TT", "tt."),
    "Đặc khu": ("đặc khu",),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the kind that `nghedan evaluate places` reads; `form` tells how the place was written."""

    text: str
    unit: str | None
    candidates: tuple[str, ...]
    form: str


def rows(gazetteer: Gazetteer, *, count: int, seed: int, province: str | None) -> Iterator[Row]:
    """`count` messages about units of `province`, or of the whole country when it is None."""
    dice = random.Random(seed)
    raw = read_rows()
    olds = [o for o in raw.old if _in_scope(gazetteer, o, province)]
    currents = [u for u in _communes(gazetteer) if province in (None, u.province_code)]
    meanings = _meanings(gazetteer, olds, province)
    for _ in range(count):
        if dice.random() < 0.5:
            unit = dice.choice(currents)
            name = unit.full_name.removeprefix(unit.kind).strip()
            form, place, full = _write_current(dice, unit.kind, name, gazetteer.unit(unit.province_code).name)  # type: ignore[union-attr]
            targets = {unit.code} if full else meanings[aligned_fold(unit.name)]
        else:
            old = dice.choice(olds)
            form, place, full = _write_old(dice, old)
            targets = set(old.targets) if full else meanings[aligned_fold(old.name)]
        text = _spoil(dice, _message(dice, place))
        yield Row(text, next(iter(targets)) if len(targets) == 1 else None, tuple(sorted(targets)), form)


def _communes(gazetteer: Gazetteer):  # type: ignore[no-untyped-def]
    return [u for p in gazetteer.provinces for u in gazetteer.communes_of(p.code)]


def _in_scope(gazetteer: Gazetteer, old: OldRow, province: str | None) -> bool:
    unit = gazetteer.unit(old.targets[0])
    return province is None or (unit is not None and unit.province_code == province)


def _meanings(gazetteer: Gazetteer, olds: list[OldRow], province: str | None) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for unit in _communes(gazetteer):
        if province in (None, unit.province_code):
            found.setdefault(aligned_fold(unit.name), set()).add(unit.code)
    for old in olds:
        found.setdefault(aligned_fold(old.name), set()).update(old.targets)
    return found


def _write_current(dice: random.Random, kind: str, name: str, province: str) -> tuple[str, str, bool]:
    short = dice.choice(_SHORT[kind])
    form = dice.choice(("kind", "kind", "short", "province", "province_short"))
    if form == "kind":
        return form, f"{kind.lower()} {name}", False
    if form == "short":
        return form, f"{short} {name}".replace(". ", dice.choice((". ", "."))), False
    if form == "province":
        return form, f"{kind.lower()} {name}, tỉnh {province}", True
    return form, f"{short} {name} {province}", True


def _write_old(dice: random.Random, old: OldRow) -> tuple[str, str, bool]:
    kind = old.kind.lower()
    name = old.name.removeprefix("Phường ") if old.name.startswith("Phường ") else old.name
    district_kind = old.district_kind.lower()
    province = old.province.removeprefix("Tỉnh ").removeprefix("Thành phố ")
    form = dice.choice(("old", "old_said", "old_district", "old_district", "old_chain", "old_short"))
    if form == "old":
        return form, f"{kind} {name}", False
    if form == "old_said":
        return form, f"{kind} {name} cũ", False
    if form == "old_district":
        return form, f"{kind} {name}, {district_kind} {old.district}", True
    if form == "old_chain":
        return form, f"{kind} {name}, {district_kind} {old.district}, tỉnh {province}", True
    return form, f"{dice.choice(_SHORT.get(old.kind, (kind,)))} {name}, {old.district}, {province}", True


def _message(dice: random.Random, place: str) -> str:
    hamlet = dice.choice(_HAMLETS).format(n=dice.randint(1, 12))
    text = dice.choice(_MESSAGES).format(place=place, hamlet=hamlet)
    return text[0].upper() + text[1:] if dice.random() < 0.7 else text


def _spoil(dice: random.Random, text: str) -> str:
    """Write it the way phones do: lower case, no commas, decomposed accents, no final stop."""
    if dice.random() < 0.35:
        text = text.lower()
    if dice.random() < 0.2:
        text = text.replace(",", "")
    if dice.random() < 0.1:
        text = unicodedata.normalize("NFD", text)
    return text + dice.choice(("", ".", " ạ", " ạ.", "!"))


__all__ = ["Row", "Rows", "rows"]

"""Names of communes, districts and provinces in a tokenized text, each with the cue that makes it a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.places.gazetteer import District, Entry, Gazetteer, Province
from core.places.spelling import distance, limit_for, without_telex
from core.places.tokens import Token, is_cased, marks, tokenize

Level = Literal["commune", "district", "province"]

# Folded cue words -> (levels in the order they are tried, kind that the gazetteer uses).
_CUES: dict[tuple[str, ...], tuple[tuple[Level, ...], str]] = {
    ("thi", "tran"): (("commune",), "thi tran"),
    ("thi", "xa"): (("district",), "thi xa"),
    ("dac", "khu"): (("commune",), "dac khu"),
    ("thanh", "pho"): (("district", "province"), "thanh pho"),
    ("xa",): (("commune",), "xa"),
    ("phuong",): (("commune",), "phuong"),
    ("huyen",): (("district",), "huyen"),
    ("quan",): (("district",), "quan"),
    ("tinh",): (("province",), "tinh"),
    ("tp",): (("district", "province"), "thanh pho"),
    ("tt",): (("commune",), "thi tran"),
    ("tx",): (("district",), "thi xa"),
    ("p",): (("commune",), "phuong"),
    ("ph",): (("commune",), "phuong"),
    ("x",): (("commune",), "xa"),
    ("h",): (("district",), "huyen"),
    ("q",): (("district",), "quan"),
    ("t",): (("province",), "tinh"),
}
_CUE_SPELLINGS = frozenset(
    [
        "xã",
        "xa",
        "phường",
        "phuong",
        "thị",
        "thi",
        "trấn",
        "tran",
        "đặc",
        "dac",
        "khu",
        "thành",
        "thanh",
        "phố",
        "pho",
        "huyện",
        "huyen",
        "quận",
        "quan",
        "tỉnh",
        "tinh",
        "tp",
        "tt",
        "tx",
        "p",
        "ph",
        "x",
        "h",
        "q",
        "t",
    ]
)
_LETTER_CUES = frozenset({"p", "x", "h", "q", "t"})
_INSIDE_NAME = frozenset(" -–'’‘")
_CONNECTORS = frozenset({"thuoc", "cua", "o", "tai", "va", "cu", "moi", "nay", "la"})
_LOCATIVES = frozenset(
    {"o", "tai", "thuoc", "vuc", "ve", "len", "xuong", "den", "qua", "tu", "di", "bac", "sang"}
)
# Last words of offices that are named after their commune: trạm y tế, UBND, công an, tiểu học, chợ …
_OFFICES = frozenset({"te", "ubnd", "hdnd", "uy", "thcs", "thpt", "cho"})
_PAIRS = frozenset(
    {
        ("dia", "ban"),
        ("cong", "an"),
        ("tieu", "hoc"),
        ("khu", "vuc"),
        ("nhan", "dan"),
        ("o", "khu"),
        ("ba", "con"),
    }
)
# What follows these words is the name of a person, road, hamlet or firm, not of a commune.
_ROADS = frozenset({"đường", "duong", "phố", "ngõ", "hẻm"})
_NAME_BEARERS = frozenset(
    [
        "duong",
        "pho",
        "ngo",
        "hem",
        "ngach",
        "cau",
        "ho",
        "suoi",
        "song",
        "deo",
        "doc",
        "doi",
        "nui",
        "chua",
        "dinh",
        "lang",
        "thon",
        "ban",
        "xom",
        "to",
        "ap",
        "khom",
        "buon",
        "khu",
        "ong",
        "anh",
        "chi",
        "em",
        "co",
        "chu",
        "di",
        "ten",
        "con",
        "chau",
        "ty",
        "htx",
        "truong",
        "non",
        "giao",
        "lop",
        "hang",
        "toc",
    ]
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One name: token indexes `first` (with its cue), `name` and `last` (exclusive); `kind` is "" without a
    cue.

    `found` are the entries it may mean, `distance` the letters by which it was misspelt.
    """

    level: Level
    first: int
    name: int
    last: int
    kind: str
    communes: tuple[Entry, ...] = ()
    districts: tuple[District, ...] = ()
    provinces: tuple[Province, ...] = ()
    distance: int = 0


class Scanner:
    """Reads one cleaned text. `permissive` takes bare names anywhere: the text is an answer to "which
    commune?".
    """

    def __init__(self, gazetteer: Gazetteer, text: str, *, home: str | None, permissive: bool) -> None:
        self.index = gazetteer.index
        self.text = text
        self.tokens = tokenize(text)
        self.home = home
        self.permissive = permissive
        self.cased = is_cased(text)

    def mentions(self) -> list[Mention]:
        """All mentions in text order, not overlapping; a chain ("xã X, huyện Y, Z") gives one for each
        link.
        """
        found: list[Mention] = []
        position = 0
        while position < len(self.tokens):
            mention = self._with_cue(position) or self._bare(position, found)
            if mention is None:
                position += 1
                continue
            found.append(mention)
            position = mention.last
            while (link := self._link(position, found[-1])) is not None:
                found.append(link)
                position = link.last
        return found

    # -- names after a cue word ------------------------------------------------------------------------

    def _cue(self, position: int) -> tuple[tuple[Level, ...], str, int] | None:
        for size in (2, 1):
            words = self.tokens[position : position + size]
            known = _CUES.get(tuple(t.folded for t in words))
            if known is None or any(t.gap.strip() for t in words[1:]):
                continue
            if all(t.text.casefold() in _CUE_SPELLINGS for t in words):
                return (*known, size)
        return None

    def _with_cue(self, position: int) -> Mention | None:
        cue = self._cue(position)
        if cue is None:
            return None
        levels, kind, size = cue
        start = position + size
        if start >= len(self.tokens) or self.tokens[start].gap.strip(" .:-") != "":
            return None
        if "\n" in self.tokens[start].gap or not self._cue_stands(position, start, kind):
            return None
        for level in levels:
            mention = self._named(level, position, start, kind)
            if mention is not None:
                return mention
        return None

    def _cue_stands(self, position: int, start: int, kind: str) -> bool:
        """Single letters need a full stop, a capital name or a number; "xã hội" is not a commune."""
        word, after = self.tokens[position].folded, self.tokens[start]
        if word in _LETTER_CUES and not self.permissive:
            dotted = after.gap.startswith(".")
            return dotted or (after.text[0].isdigit() and word in "pq") or (self.cased and after.capital)
        return not (kind == "xa" and after.folded in ("hoi", "vien") and not (self.cased and after.capital))

    def _named(self, level: Level, first: int, start: int, kind: str) -> Mention | None:
        longest: Mention | None = None
        for size in range(min(self.index.longest, len(self.tokens) - start), 0, -1):
            key = self._key(start, size)
            mention = self._lookup(level, key, (first, start, start + size), kind) if key else None
            if mention is None:
                continue
            if longest is None:
                longest = mention
                if size < 3 or self._link(mention.last, mention) is not None:
                    return self._not_a_phrase(mention)
            elif self._link(mention.last, mention) is not None:  # "Mỹ Thạnh, Tây Ninh", not "Mỹ Thạnh Tây"
                return mention
        return self._not_a_phrase(longest) if longest else self._joined(level, first, start, kind)

    def _not_a_phrase(self, mention: Mention) -> Mention | None:
        """ "các xã biên giới", "xã an ninh kém": a common phrase is a name only with capitals, at home or
        in a chain.
        """
        words = self.tokens[mention.name : mention.last]
        if mention.level != "commune" or not self._common(mention.name, mention.last):
            return mention
        if self.cased and all(t.capital for t in words):
            return mention
        at_home = not self.cased and any(e.province == self.home for e in mention.communes)
        return mention if at_home or self._link(mention.last, mention) is not None else None

    def _common(self, start: int, end: int) -> bool:
        """Whether these words are an ordinary phrase, compared without diacritics when none were typed."""
        words = self.tokens[start:end]
        if any(marks(t.text) for t in words):
            return " ".join(t.text.casefold() for t in words) in self.index.common
        return " ".join(t.folded for t in words) in self.index.common_folded

    def _key(self, start: int, size: int) -> str | None:
        words = self.tokens[start : start + size]
        if len(words) < size or any(set(t.gap) - _INSIDE_NAME for t in words[1:]):
            return None
        if size < 4 and any(t.gap.strip(" ") and " " in t.gap for t in words[1:]):
            return None  # " - " stands inside the longest names only; elsewhere it separates
        return " ".join(t.folded.lstrip("0") or "0" if t.folded.isdigit() else t.folded for t in words)

    def _lookup(self, level: Level, key: str, at: tuple[int, int, int], kind: str) -> Mention | None:
        first, name, last = at
        if level == "commune" and (key in self.index.communes or kind) and (named := self.index.named(key)):
            return Mention(level, first, name, last, kind, communes=named)
        if level == "district" and key in self.index.districts:
            districts = self.index.districts[key]
            same = [d for d in districts if kind in ("", _folded_kind(d.kind))]
            return Mention(level, first, name, last, kind, districts=tuple(same or districts))
        if level == "province" and key in self.index.provinces:
            return Mention(level, first, name, last, kind, provinces=tuple(self.index.provinces[key]))
        return None

    def _joined(self, level: Level, first: int, start: int, kind: str) -> Mention | None:
        """Names typed in one word, and names of before 2025 that are known only so."""
        for size in (4, 3, 2, 1):
            key = self._key(start, size)
            joined = key.replace(" ", "") if key else ""
            if len(joined) < 4:
                continue
            if level == "commune" and self.index.joined.get(joined):
                return Mention(level, first, start, start + size, kind, tuple(self.index.joined[joined]))
            if level == "district" and self.index.districts_joined.get(joined):
                districts = tuple(self.index.districts_joined[joined])
                return Mention(level, first, start, start + size, kind, districts=districts)
        return None

    # -- links of a chain, and bare names --------------------------------------------------------------

    def _link(self, position: int, before: Mention) -> Mention | None:
        """A district or province right after the name `before`: "Quang Kim, Bát Xát, Lào Cai"."""
        start = position
        while start < len(self.tokens) and self.tokens[start].folded in _CONNECTORS and start < position + 2:
            start += 1
        for begin in dict.fromkeys((position, start)):
            if begin >= len(self.tokens) or set(self.tokens[begin].gap) - set(" ,-–()/.\n"):
                continue
            mention = self._with_cue(begin)
            if mention is not None:
                return mention if mention.level != "commune" else None
            bare = self._bare_link(begin) if self._cue(begin) is None else None
            if bare is not None and _belongs(before, bare):
                return bare
        return None

    def _bare_link(self, begin: int) -> Mention | None:
        for size in range(min(4, len(self.tokens) - begin), 0, -1):
            key = self._key(begin, size)
            if key is None or (size == 1 and key not in self.index.provinces):
                continue
            if self.cased and not all(t.capital for t in self.tokens[begin : begin + size]):
                continue
            for level in ("district", "province"):
                mention = self._lookup(level, key, (begin, begin, begin + size), "")
                if mention is not None:
                    return self._both_levels(mention, key)
        return None

    def _both_levels(self, mention: Mention, key: str) -> Mention:
        provinces = tuple(self.index.provinces.get(key, ()))
        return Mention(
            mention.level,
            mention.first,
            mention.name,
            mention.last,
            "",
            districts=mention.districts,
            provinces=provinces,
        )

    def _bare(self, position: int, before: list[Mention]) -> Mention | None:
        for size in range(min(self.index.longest, len(self.tokens) - position), 0, -1):
            key = self._key(position, size)
            if key is None or (size == 1 and not self.permissive):
                continue
            if any(self._with_cue(p) for p in range(position + 1, position + size)):
                continue  # "người dân phường Sa Pa", not Đan Phượng
            at = (position, position, position + size)
            for level in ("province", "commune"):
                mention = self._lookup(level, key, at, "")
                if mention is not None and self._bare_stands(mention, key):
                    return mention
        return None

    def _bare_stands(self, mention: Mention, key: str) -> bool:
        """Whether a name without a cue is one: capitals in a text that has them, else where a place is
        said.
        """
        if self.permissive:
            return not self.after_a_road(mention.first)
        position, gap = mention.first, self.tokens[mention.first].gap
        if position and not gap.strip(" ") and self._bears_name(position - 1):
            return False
        if not self.cased:
            return self._said_as_place(mention, key)
        if not self._capital_name(mention):
            return False
        elsewhere = self.home is not None and all(e.province != self.home for e in mention.communes)
        if mention.level == "province" or not elsewhere:
            return True
        return (position > 0 and self._locative(position - 1)) or self._link(
            mention.last, mention
        ) is not None

    def after_a_road(self, position: int) -> bool:
        """ "đường Hoàng Liên": no answer to "which commune?" either."""
        before = self.tokens[position - 1].text.casefold() if position else ""
        return before in _ROADS and not self.tokens[position].gap.strip()

    def _bears_name(self, position: int) -> bool:
        pair = (self.tokens[position - 1].folded if position else "", self.tokens[position].folded)
        return pair[1] in _NAME_BEARERS and pair not in _PAIRS

    def _locative(self, position: int) -> bool:
        pair = (self.tokens[position - 1].folded if position else "", self.tokens[position].folded)
        return pair[1] in _LOCATIVES | _OFFICES or pair in _PAIRS

    def _capital_name(self, mention: Mention) -> bool:
        position, size = mention.first, mention.last - mention.first
        words = self.tokens[position : position + size]
        if not all(t.capital for t in words) or any(t.text.isdigit() for t in words[:1]):
            return False
        previous = self.tokens[position - 1] if position else None
        following = self.tokens[position + size] if position + size < len(self.tokens) else None
        if previous is not None and not words[0].gap.strip(" ") and previous.capital and position > 1:
            return previous.text.isupper()  # "UBND Côn Lôn", not "Nguyễn Văn Bàn"
        joined = following is not None and following.gap == " " and following.capital
        return not joined or self._link(position + size, mention) is not None

    def _said_as_place(self, mention: Mention, key: str) -> bool:
        words = self.tokens[mention.first : mention.last]
        if mention.level == "province":
            return not self._common(mention.first, mention.last) or self._locative(mention.first - 1)
        linked = self._link(mention.last, mention) is not None
        at_home = any(e.province == self.home for e in mention.communes)
        if linked or not at_home or self._common(mention.first, mention.last):
            return linked
        if any(marks(t.text) for t in words):
            typed = tuple(marks(t.text) for t in words)
            return any(e.signature == typed for e in mention.communes)
        listed = mention.last < len(self.tokens) and self.tokens[mention.last].gap.strip(" ") != ""
        return self._locative(mention.first - 1) if mention.first else listed


def misspelt(scanner: Scanner, provinces: frozenset[str], *, taken: frozenset[int]) -> Iterator[Mention]:
    """Names close to a gazetteer name: after a commune cue, or anywhere in a typed answer.

    `provinces` limits the names to these provinces; empty means all. Words in `taken` are spoken for. Best
    first
    for each position.
    """
    for position in range(len(scanner.tokens)):
        if position in taken:
            continue
        cue = scanner._cue(position)
        if cue is not None and cue[0] == ("commune",):
            yield from _close(scanner, (position, position + cue[2]), cue[1], provinces)
        elif scanner.permissive and cue is None and not scanner.after_a_road(position):
            yield from _close(scanner, (position, position), "", provinces)


def _close(scanner: Scanner, at: tuple[int, int], kind: str, provinces: frozenset[str]) -> Iterator[Mention]:
    first, start = at
    best: list[tuple[int, int, str]] = []
    for size in (4, 3, 2):
        key = scanner._key(start, size)
        if key is None or (kind and not _worth_it(scanner, start, size)):
            continue
        plain = " ".join(without_telex(word) for word in key.split())
        for similar in scanner.index.similar_keys(key.split()) | scanner.index.similar_keys(plain.split()):
            away = distance(key, similar, limit=limit_for(similar))
            if away is not None or plain == similar:
                best.append((1 if away is None else away, -size, similar))
    for away, size, similar in sorted(best)[:8]:
        entries = tuple(
            e for e in scanner.index.communes[similar] if not provinces or e.province in provinces
        )
        if entries:
            yield Mention(
                "commune", first, start, start - size, kind, communes=entries, distance=max(away, 1)
            )


def _worth_it(scanner: Scanner, start: int, size: int) -> bool:
    """In a message, "xã" is often followed by ordinary words: a misspelt name must look like a name."""
    words = scanner.tokens[start : start + size]
    if scanner.permissive:
        return True
    if scanner.cased:
        return all(t.capital for t in words)
    return not scanner._common(start, start + size)


def _belongs(before: Mention, link: Mention) -> bool:
    """Whether what `before` names can lie in the district or province of `link`."""
    districts = {d.key for d in link.districts}
    provinces = {p.code for p in link.provinces}
    if before.level == "commune":
        return any(e.districts & districts or e.province in provinces for e in before.communes)
    return any(d.province in provinces for d in before.districts)


def _folded_kind(kind: str) -> str:
    return {"Huyện": "huyen", "Quận": "quan", "Thị xã": "thi xa", "Thành phố": "thanh pho"}[kind]


def text_of(tokens: list[Token], mention: Mention) -> tuple[int, int]:
    """Start and end of a mention, its cue included, in the cleaned text."""
    return tokens[mention.first].start, tokens[mention.last - 1].end

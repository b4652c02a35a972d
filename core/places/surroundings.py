"""Places smaller than a commune, in the writer's own words: hamlets, roads, landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.places.answers import PlaceSpan, Surrounding
from core.places.tokens import Token, marks

Kind = Literal["hamlet", "road", "landmark"]

# Folded cue -> accented spellings that are not the cue ("bạn", "to", "áp").
_HAMLETS: dict[tuple[str, ...], frozenset[str]] = {
    ("to", "dan", "pho"): frozenset(),
    ("khu", "dan", "cu"): frozenset(),
    ("khu", "pho"): frozenset(),
    ("thon",): frozenset({"thốn", "thon"}),
    ("ban",): frozenset({"ban", "bạn", "bàn", "bán", "bẩn", "bắn", "bận", "băn"}),
    ("xom",): frozenset(),
    ("ap",): frozenset({"áp", "ập"}),
    ("khom",): frozenset(),
    ("buon",): frozenset({"buồn"}),
    ("lang",): frozenset({"lang", "lãng", "lặng", "lăng", "láng", "lắng", "lạng"}),
    ("to",): frozenset({"to", "tờ", "tô", "tỏ", "tớ", "tơ"}),
    ("doi",): frozenset({"đời", "đòi", "đôi", "đợi", "đổi", "đói", "dời", "dõi", "đồi", "doi", "đối"}),
    ("phum",): frozenset(),
    ("soc",): frozenset({"sốc", "sọc"}),
}
_ROADS: dict[tuple[str, ...], frozenset[str]] = {
    ("quoc", "lo"): frozenset(),
    ("tinh", "lo"): frozenset(),
    ("huong", "lo"): frozenset(),
    ("duong", "tinh"): frozenset(),
    ("cao", "toc"): frozenset(),
    ("ql",): frozenset(),
    ("tl",): frozenset(),
    ("dt",): frozenset({"đt"}),
    ("duong",): frozenset({"đương", "dương", "dưỡng", "duồng", "duông"}),
    ("pho",): frozenset({"phó", "phở", "phổ", "phơ"}),
    ("ngo",): frozenset({"ngộ", "ngô", "ngờ", "ngỡ", "ngo"}),
    ("hem",): frozenset({"hèm"}),
    ("deo",): frozenset({"đeo", "dẻo", "deo"}),
    ("doc",): frozenset({"đọc", "độc", "dọc", "đốc", "doc"}),
    ("cau",): frozenset({"câu", "cầu thủ", "cậu", "cáu", "cau", "cấu", "cẩu"}),
    ("ngam",): frozenset({"ngắm", "ngâm", "ngậm"}),
}
_LANDMARKS: dict[tuple[str, ...], frozenset[str]] = {
    ("tram", "y", "te"): frozenset(),
    ("nha", "van", "hoa"): frozenset(),
    ("benh", "vien"): frozenset(),
    ("uy", "ban"): frozenset(),
    ("truong", "mam", "non"): frozenset(),
    ("truong", "tieu", "hoc"): frozenset(),
    ("truong", "thcs"): frozenset(),
    ("truong", "thpt"): frozenset(),
    ("truong", "mau", "giao"): frozenset(),
    ("diem", "truong"): frozenset(),
    ("nha", "may"): frozenset(),
    ("ubnd",): frozenset(),
    ("cho",): frozenset({"cho", "chó", "chờ", "chỗ", "chở", "chớ", "chơ"}),
    ("truong",): frozenset({"trưởng", "trương", "trướng", "trường hợp", "truong"}),
    ("suoi",): frozenset({"sưởi"}),
    ("song",): frozenset({"sống", "sóng", "song"}),
    ("ho",): frozenset({"họ", "hộ", "hố", "hổ", "hở", "hò", "hơ", "ho", "hô"}),
    ("dap",): frozenset({"đáp", "đắp", "dập", "dap"}),
    ("kenh",): frozenset(),
    ("muong",): frozenset({"mường", "mướng"}),
    ("bai", "rac"): frozenset(),
    ("nghia", "trang"): frozenset(),
    ("chua",): frozenset({"chưa", "chứa", "chữa", "chua", "chúa"}),
    ("den",): frozenset({"đến", "đèn", "đen", "dến", "den"}),
}
_CUES: tuple[tuple[Kind, dict[tuple[str, ...], frozenset[str]]], ...] = (
    ("hamlet", _HAMLETS),
    ("road", _ROADS),
    ("landmark", _LANDMARKS),
)
# Words that end a name in text without capitals.
_STOPS = frozenset(
    [
        "hong",
        "bi",
        "khong",
        "ko",
        "chua",
        "co",
        "da",
        "dang",
        "can",
        "rat",
        "mat",
        "thi",
        "la",
        "ma",
        "va",
        "voi",
        "nhung",
        "nhieu",
        "qua",
        "lau",
        "xuong",
        "o",
        "tai",
        "thuoc",
        "den",
        "di",
        "vao",
        "ra",
        "len",
        "ve",
        "tu",
        "qua",
        "gan",
        "noi",
        "nay",
        "kia",
        "do",
        "cua",
        "cho",
        "de",
        "nghi",
        "mong",
        "xin",
        "duoc",
        "lam",
        "sua",
        "xay",
        "dung",
        "moi",
        "cu",
        "sat",
        "lo",
        "ngap",
        "nat",
        "xau",
        "toi",
        "chung",
        "ba",
        "con",
        "em",
        "chau",
        "ong",
        "anh",
        "chi",
        "nguoi",
        "dan",
        "ho",
        "nha",
        "mua",
        "nang",
        "nuoc",
        "dien",
        "rac",
        "bui",
        "on",
        "het",
        "thieu",
        "yeu",
        "xa",
        "phuong",
        "huyen",
        "tinh",
        "thon",
        "ban",
        "to",
        "xom",
        "duong",
        "bao",
        "gio",
        "khi",
        "nao",
        "sao",
        "con",
        "lai",
        "cung",
        "van",
        "deu",
        "toan",
        "lien",
        "bo",
        "dau",
        "ngay",
        "hom",
        "tuan",
        "thang",
        "nam",
        "gap",
        "tam",
        "cham",
        "doan",
        "hai",
        "ca",
        "moi",
        "cac",
        "mot",
        "may",
        "nhu",
        "the",
        "nen",
        "vi",
        "do",
        "hien",
        "cap",
    ]
)
_MOST_WORDS = 4
# Words that cannot begin a hamlet's name in text without diacritics.
_NOT_FIRST = frozenset(
    [
        "co",
        "bi",
        "toi",
        "em",
        "chung",
        "minh",
        "nay",
        "kia",
        "do",
        "da",
        "dang",
        "chua",
        "khong",
        "ko",
        "cua",
        "va",
        "thi",
        "la",
        "rat",
        "can",
        "phai",
        "lai",
        "nao",
        "moi",
        "cung",
        "xong",
        "muon",
        "xin",
        "mong",
        "ma",
        "nhung",
        "de",
        "duoc",
        "con",
        "xa",
        "toan",
        "den",
    ]
)
# Cues that mean too many other things when typed without diacritics ("cho", "den", "ho", "to" …).
_UNSURE_BARE = frozenset(
    {
        ("cho",),
        ("den",),
        ("ho",),
        ("chua",),
        ("song",),
        ("dap",),
        ("doi",),
        ("lang",),
        ("doc",),
        ("cau",),
        ("ngo",),
        ("pho",),
        ("truong",),
        ("muong",),
        ("soc",),
        ("kenh",),
        ("deo",),
        ("hem",),
        ("ngam",),
        ("dt",),
        ("duong",),
    }
)
_NUMBER_ONLY_BARE = frozenset({("to",), ("ap",), ("duong",), ("doi",), ("ngo",), ("hem",), ("khu", "pho")})
_BEFORE_BARE_HAMLET = frozenset(
    {"o", "tai", "vao", "ra", "den", "thon", "duong", "cua", "qua", "con", "dan", "thuoc"}
)


def find_surroundings(
    text: str, tokens: Sequence[Token], taken: Sequence[tuple[int, int]], *, cased: bool
) -> tuple[Surrounding, ...]:
    """Hamlets, roads and landmarks in text order; words inside `taken` (commune names) end a name."""
    marked = any(marks(token.text) for token in tokens)
    found: list[Surrounding] = []
    position = 0
    while position < len(tokens):
        step = 1
        if not _inside(tokens[position], taken):
            hit = _at(tokens, position, taken, cased=cased, marked=marked)
            if hit is not None:
                kind, last = hit
                start, end = tokens[position].start, tokens[last - 1].end
                found.append(Surrounding(kind, PlaceSpan(start, end, text[start:end])))
                step = last - position
        position += step
    return tuple(found)


def _at(
    tokens: Sequence[Token], position: int, taken: Sequence[tuple[int, int]], *, cased: bool, marked: bool
) -> tuple[Kind, int] | None:
    for kind, cues in _CUES:
        for size in (3, 2, 1):
            words = tokens[position : position + size]
            cue = tuple(t.folded for t in words)
            others = cues.get(cue)
            if (
                others is None
                or len(words) < size
                or (marked and size == 1 and words[0].text.casefold() in others)
            ):
                continue
            if not marked and not cased and not _sure_without_marks(tokens, position, cue):
                continue
            first_stops = _NOT_FIRST if kind == "hamlet" else _NOT_FIRST | _STOPS
            last = _name_end(tokens, position + size, taken, cased=cased, first_stops=first_stops)
            if last > position + size or (size > 1 and kind == "landmark"):
                return kind, last
    return None


def _sure_without_marks(tokens: Sequence[Token], position: int, cue: tuple[str, ...]) -> bool:
    after = tokens[position + len(cue)].text if position + len(cue) < len(tokens) else ""
    if cue in _UNSURE_BARE or cue in _NUMBER_ONLY_BARE:
        return cue in _NUMBER_ONLY_BARE and after.isdigit()
    if cue == ("ban",):
        return position > 0 and tokens[position - 1].folded in _BEFORE_BARE_HAMLET
    return True


def _name_end(
    tokens: Sequence[Token],
    start: int,
    taken: Sequence[tuple[int, int]],
    *,
    cased: bool,
    first_stops: frozenset[str],
) -> int:
    """Index after the name that starts at `start` (equal to it when there is no name)."""
    last = start
    while last < len(tokens) and last < start + (_MOST_WORDS if cased else 2):
        token = tokens[last]
        if token.gap.strip(" .-–'’") or (last > start and "." in token.gap) or _inside(token, taken):
            break
        if token.text[0].isdigit():
            return last + 1
        if not _name_word(token, cased=cased, stops=first_stops if last == start else _STOPS):
            break
        last += 1
    return last


def _name_word(token: Token, *, cased: bool, stops: frozenset[str]) -> bool:
    if cased:
        return token.capital
    return token.folded not in stops


def _inside(token: Token, taken: Sequence[tuple[int, int]]) -> bool:
    return any(start <= token.start < end for start, end in taken)

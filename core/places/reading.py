"""From mentions to one answer: which commune a typed answer or a whole message is about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.places.answers import UNKNOWN, FoundPlaces, PlaceAnswer, PlaceSpan, Unit
from core.places.choose import NAMED, SURE_MARGIN, Choice, Context, rank
from core.places.gazetteer import Gazetteer
from core.places.mentions import Mention, Scanner, misspelt, text_of
from core.places.surroundings import find_surroundings
from core.places.tokens import aligned_fold

MOST_CANDIDATES = 5
_NOW = frozenset(
    {"nay la", "nay thuoc", "gio la", "gio thuoc", "nhap vao", "nhap ve", "thanh xa", "thanh phuong"}
)
_SPEAKERS = frozenset({"toi", "em", "chau", "minh", "con", "nha", "que", "dinh"})


@dataclass(frozen=True, slots=True)
class Ranked:
    """A commune mention with the units it may mean, best first (at least one)."""

    mention: Mention
    choices: list[Choice]

    @property
    def sure(self) -> bool:
        """Whether the best unit leads by enough and nothing in the text speaks against it."""
        lead = self.choices[0].score - (self.choices[1].score if len(self.choices) > 1 else -math.inf)
        return lead > SURE_MARGIN and self.choices[0].score > -1.0


def find_places(gazetteer: Gazetteer, text: str, *, province: str | None) -> FoundPlaces:
    """Read a cleaned message; see `Gazetteer.find`."""
    scanner = Scanner(gazetteer, text, home=province, permissive=False)
    mentions = scanner.mentions()
    answer = _answer(gazetteer, scanner, mentions, near=())
    taken = [text_of(scanner.tokens, m) for m in mentions]
    return FoundPlaces(text, answer, find_surroundings(text, scanner.tokens, taken, cased=scanner.cased))


def resolve_typed(
    gazetteer: Gazetteer, text: str, *, province: str | None, near: Sequence[str]
) -> PlaceAnswer:
    """Read a cleaned answer to "which commune?"; see `Gazetteer.resolve`."""
    strict = Scanner(gazetteer, text, home=province, permissive=False)
    answer = _answer(gazetteer, strict, strict.mentions(), near=near)
    if answer.status != "unknown" and answer.unit is not None:
        return answer
    scanner = Scanner(gazetteer, text, home=province, permissive=True)
    permissive = _answer(gazetteer, scanner, _promoted(scanner, scanner.mentions()), near=near)
    if permissive.status == "unknown":
        return answer
    if permissive.unit is not None and permissive.span is not None and _is_province(scanner, permissive.span):
        return PlaceAnswer("ambiguous", span=permissive.span, candidates=(permissive.unit,))
    if _far_guess(scanner, permissive):
        return answer
    return permissive


_FEW_OTHER_WORDS = 2


def _far_guess(scanner: Scanner, answer: PlaceAnswer) -> bool:
    """Words that happen to spell a commune elsewhere ("xa toi duong hong" is no Đường Hồng)."""
    unit, span = answer.unit, answer.span
    if unit is None or span is None or scanner.home in (None, unit.province_code):
        return False
    return len(scanner.tokens) - len(span.text.split()) > _FEW_OTHER_WORDS


def _is_province(scanner: Scanner, span: PlaceSpan) -> bool:
    """ "Lào Cai" alone may be the ward or the province: worth asking."""
    return len(span.text) == len(scanner.text) and aligned_fold(span.text) in scanner.index.provinces


def _promoted(scanner: Scanner, mentions: list[Mention]) -> list[Mention]:
    """In a typed answer, a first bare district or province name that is also a commune's means the
    commune.
    """
    if not mentions or any(m.level == "commune" for m in mentions):
        return mentions
    first = mentions[0]
    key = " ".join(t.folded for t in scanner.tokens[first.name : first.last])
    entries = tuple(scanner.index.communes.get(key, ()))
    if first.kind or not entries:
        return mentions
    commune = Mention("commune", first.first, first.name, first.last, "", communes=entries)
    return [commune, *mentions[1:]]


def _answer(
    gazetteer: Gazetteer, scanner: Scanner, mentions: list[Mention], *, near: Sequence[str]
) -> PlaceAnswer:
    context = Context(
        named=tuple((m.districts, m.provinces) for m in mentions if m.level != "commune"),
        home=scanner.home,
        near=frozenset(near),
    )
    communes = [m for m in mentions if m.level == "commune"]
    ranked = [Ranked(m, choices) for m in communes if (choices := rank(m, scanner.tokens, context))]
    ranked = _primary(scanner, ranked)
    if not ranked or all(r.choices[0].score < NAMED - 1.0 and scanner.home and not r.sure for r in ranked):
        taken = frozenset(i for m in mentions for i in range(m.first, m.last) if m.level != "commune")
        ranked = _with_misspelt(scanner, ranked, context, taken=taken)
    if ranked:
        return _decide(gazetteer, scanner, ranked)
    return _whole_district(gazetteer, context)


def _with_misspelt(
    scanner: Scanner, ranked: list[Ranked], context: Context, *, taken: frozenset[int]
) -> list[Ranked]:
    """Add close names of the provinces that count: those named in the text, else home, else all."""
    named = frozenset(p.code for _, provinces in context.named for p in provinces)
    named |= frozenset(d.province for districts, _ in context.named for d in districts)
    provinces = named or frozenset({scanner.home} if scanner.home else ())
    if not provinces and not scanner.permissive and not scanner.cased:
        return ranked  # in a message without capitals, half the country's names are near to some words
    taken = taken | {i for r in ranked for i in range(r.mention.first, r.mention.last)}
    found = list(misspelt(scanner, provinces, taken=taken))
    if not found and provinces and not named and scanner.permissive:
        found = list(misspelt(scanner, frozenset(), taken=taken))
    if not found:
        return ranked
    nearest = min(m.distance for m in found)
    close = [m for m in found if m.distance == nearest]
    start = close[0].name
    choices = [c for m in close if m.name == start for c in rank(m, scanner.tokens, context)]
    unique = {c.code: c for c in sorted(choices, key=lambda c: c.score)}
    best = sorted(unique.values(), key=lambda c: (-c.score, c.code))
    return ranked or [Ranked(close[0], best)]


def _primary(scanner: Scanner, ranked: list[Ranked]) -> list[Ranked]:
    """Of several communes in a message, those that the matter is about."""
    if len(ranked) < 2:
        return ranked
    now = [r for r in ranked if _preceded(scanner, r, _NOW, back=2)]
    if now:
        return now[-1:]
    with_cue = [r for r in ranked if r.mention.kind]
    ranked = with_cue or ranked
    elsewhere = [r for r in ranked if not _residence(scanner, r)]
    return elsewhere or ranked


def _preceded(scanner: Scanner, ranked: Ranked, phrases: frozenset[str], *, back: int) -> bool:
    start = ranked.mention.first
    for end in (start, start - 1):
        words = scanner.tokens[max(0, end - back) : end]
        if " ".join(t.folded for t in words) in phrases:
            return True
    return False


def _residence(scanner: Scanner, ranked: Ranked) -> bool:
    """ "tôi ở xã A": where the writer lives, not where the matter is."""
    words = [t.folded for t in scanner.tokens[max(0, ranked.mention.first - 6) : ranked.mention.first]]
    return "o" in words and any(w in _SPEAKERS for w in words[: words.index("o")])


def _decide(gazetteer: Gazetteer, scanner: Scanner, ranked: list[Ranked]) -> PlaceAnswer:
    span = _span(scanner, ranked[0].mention)
    sure = {r.choices[0].code: r for r in ranked if r.sure}
    all_sure = all(r.sure for r in ranked)
    if len(sure) == 1 and (all_sure or _others_agree(ranked, next(iter(sure)))):
        code, best = next(iter(sure.items()))
        lead = best.choices[0].score - (best.choices[1].score if len(best.choices) > 1 else 0.0)
        choice = best.choices[0]
        confidence = round(1 / (1 + math.exp(-lead)), 3)
        unit = gazetteer.unit(code)
        return PlaceAnswer("resolved", unit, choice.via, confidence, _span(scanner, best.mention))
    return PlaceAnswer("ambiguous", span=span, candidates=_candidates(gazetteer, ranked))


def _others_agree(ranked: list[Ranked], code: str) -> bool:
    return all(any(c.code == code for c in r.choices) for r in ranked)


def _candidates(gazetteer: Gazetteer, ranked: list[Ranked]) -> tuple[Unit, ...]:
    choices = [c for r in ranked for c in r.choices]
    top = max(c.score for c in choices)
    ordered = sorted((c for c in choices if c.score > top - 3.0), key=lambda c: -c.score)
    codes = list(dict.fromkeys(c.code for c in ordered))[:MOST_CANDIDATES]
    return tuple(unit for code in codes if (unit := gazetteer.unit(code)) is not None)


def _whole_district(gazetteer: Gazetteer, context: Context) -> PlaceAnswer:
    """Only an old district is named: its communes of today, the one that kept its name first."""
    districts = [d for found, _ in context.named for d in found]
    keys = {d.key for d in districts}
    if not keys:
        return UNKNOWN
    found: dict[str, bool] = {}
    names = {d.name for d in districts}
    for entries in gazetteer.index.communes.values():
        for entry in entries:
            if entry.era == "current" and entry.districts & keys:
                unit = gazetteer.unit(entry.targets[0])
                found[entry.targets[0]] = unit is not None and unit.name in names
    codes = sorted(found, key=lambda code: (not found[code], code))[:MOST_CANDIDATES]
    units = tuple(unit for code in codes if (unit := gazetteer.unit(code)) is not None)
    return PlaceAnswer("ambiguous", candidates=units) if units else UNKNOWN


def _span(scanner: Scanner, mention: Mention) -> PlaceSpan:
    start, end = text_of(scanner.tokens, mention)
    return PlaceSpan(start, end, scanner.text[start:end])

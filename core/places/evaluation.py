"""Measuring the place rules on rows `{"text", "unit", "candidates"?}`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.places.answers import PlaceAnswer
from core.places.gazetteer import Gazetteer
from core.text.normal import clean

# An answer to "which commune?" is short; longer texts are messages.
TYPED_WORDS = 8


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """`unit` is a code of either list, None where asking is right; `candidates` then are acceptable codes."""

    text: str
    unit: str | None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceScore:
    """Counts of rows. `asked` are the rows not resolved; `asked_right` those where that was right."""

    n: int
    resolved: int
    correct: int
    wrong: int
    asked: int
    asked_right: int
    wrong_rows: tuple[int, ...]
    missed_rows: tuple[int, ...]


def read_place(gazetteer: Gazetteer, text: str, *, province: str | None) -> PlaceAnswer:
    """The answer that a conversation would act on: a message is searched, a few words are taken as an
    answer.
    """
    answer = gazetteer.find(text, province=province).commune
    if answer.unit is None and len(clean(text).split()) <= TYPED_WORDS:
        return gazetteer.resolve(text, province=province)
    return answer


def evaluate_places(gazetteer: Gazetteer, rows: Iterable[PlaceRow], *, province: str | None) -> PlaceScore:
    """Read every row and count; row numbers in the lists start at 0."""
    n = resolved = correct = asked_right = 0
    wrong_rows: list[int] = []
    missed: list[int] = []
    for number, row in enumerate(rows):
        n += 1
        answer = read_place(gazetteer, row.text, province=province)
        if answer.unit is None:
            asked_right += row.unit is None and _useful(gazetteer, answer, row.candidates)
            if row.unit is not None:
                missed.append(number)
            continue
        resolved += 1
        if row.unit in gazetteer.codes(answer.unit):
            correct += 1
        else:
            wrong_rows.append(number)
    wrong, asked = resolved - correct, n - resolved
    return PlaceScore(n, resolved, correct, wrong, asked, asked_right, tuple(wrong_rows), tuple(missed))


def _useful(gazetteer: Gazetteer, answer: PlaceAnswer, wanted: tuple[str, ...]) -> bool:
    """Asking helps when a right unit is among the choices; with no candidates either way, asking openly
    does.
    """
    offered = {code for unit in answer.candidates for code in gazetteer.codes(unit)}
    return not offered or not wanted or not offered.isdisjoint(wanted)

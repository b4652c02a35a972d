"""Other people's personal data in a message: telephone numbers, identity card numbers, named private
persons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.places.tokens import Token, tokenize

# Vietnamese numbers: 10 digits from 0, or +84; people write spaces, dots and dashes between them.
_PHONE = re.compile(r"(?<![\d])(?:\+?84|0)(?:[ .\-]?\d){9}(?!\d)")
# Identity cards have 12 digits (căn cước) or 9 (chứng minh nhân dân, only after its name).
_CARD = re.compile(r"(?<!\d)0\d{2}[ .]?\d{3}[ .]?\d{3}[ .]?\d{3}(?!\d)")
_OLD_CARD = re.compile(r"(?:cmnd|cmt|chứng minh(?: nhân dân| thư)?)\D{0,12}(\d{9})(?!\d)", re.IGNORECASE)
_TITLES = frozenset(
    ["ông", "bà", "anh", "chị", "cô", "chú", "bác", "cậu", "thím", "dì", "mợ", "cháu", "em", "ong", "ba"]
)
_OWN = frozenset(["tôi", "toi", "em", "cháu", "chau", "mình", "minh", "tên", "ten"])
# Streets, schools and days carry the names of people who are in history books.
_NOT_PEOPLE = frozenset(
    [
        "duong",
        "pho",
        "truong",
        "cho",
        "cau",
        "quang",
        "truong",
        "le",
        "hoi",
        "giai",
        "tuong",
        "dai",
        "thon",
        "xa",
        "phuong",
    ]
)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One find: `kind`, and where it stands in the cleaned text."""

    kind: Literal["phone", "id_number", "person"]
    start: int
    end: int
    text: str


def find_personal_data(text: str) -> tuple[PersonalData, ...]:
    """Personal data in a cleaned text, in order. Whose number it is cannot be known: staff decide."""
    found = [PersonalData("phone", m.start(), m.end(), m.group()) for m in _PHONE.finditer(text)]
    taken = [(d.start, d.end) for d in found]
    for match in _CARD.finditer(text):
        if not any(
            start <= match.start() < end or match.start() <= start < match.end() for start, end in taken
        ):
            found.append(PersonalData("id_number", match.start(), match.end(), match.group()))
    found += [PersonalData("id_number", m.start(1), m.end(1), m.group(1)) for m in _OLD_CARD.finditer(text)]
    found += _persons(text)
    return tuple(sorted(found, key=lambda d: d.start))


def _persons(text: str) -> list[PersonalData]:
    tokens = tokenize(text)
    found = []
    for position, token in enumerate(tokens):
        if token.text.casefold() not in _TITLES or position + 1 >= len(tokens):
            continue
        last = _name_end(tokens, position + 1)
        introduces_self = position > 0 and tokens[position - 1].text.casefold() in _OWN
        if last == position + 1 or introduces_self:
            continue
        if position and tokens[position - 1].folded in _NOT_PEOPLE:
            continue
        start, end = token.start, tokens[last - 1].end
        found.append(PersonalData("person", start, end, text[start:end]))
    return found


def _name_end(tokens: list[Token], start: int) -> int:
    last = start
    while last < len(tokens) and last < start + 5:
        token = tokens[last]
        if token.gap.strip(" ") or not token.text[0].isupper() or token.text[0].isdigit():
            break
        if len(token.text) > 1 and token.text.isupper():
            break
        last += 1
    return last

"""Made-up messages with their legal door, written from templates: what the door model is trained on.

A family is one table of a file in `training/`; families, not rows, are held out when the model is measured,
because rows of one family share their wording.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from core.fields.catalogue import fields
from core.fields.generator import generate
from core.places.tokens import aligned_fold, without_marks

_OPTIONS = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
# How people shorten words on the phone; chosen from forms that have one reading in these messages.
_TEENCODE = {
    "không": ("ko", "k", "hk", "kg", "khong"),
    "được": ("đc", "dc", "đk"),
    "gì": ("j", "gi"),
    "rồi": ("r", "roi"),
    "với": ("vs", "voi"),
    "những": ("nhg", "những"),
    "người": ("ng", "nguoi"),
    "cũng": ("cx", "cug"),
    "bây giờ": ("bh", "bjo"),
    "bao giờ": ("bg", "bao h"),
    "quá": ("qá", "wa"),
    "vậy": ("z", "v"),
    "biết": ("bít", "bit"),
    "tôi": ("t", "toi"),
    "mình": ("mk", "mik"),
    "làm": ("lm",),
    "xã": ("xa",),
    "triệu": ("tr", "trieu", "củ"),
    "nghìn": ("k",),
    "chưa": ("chua", "ch"),
    "đề nghị": ("đn", "de nghi"),
    "việc": ("vc",),
    "phải": ("fai", "phai"),
}


@dataclass(frozen=True, slots=True)
class Family:
    """Templates of one way of saying one thing."""

    door: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One message; `family` is `file.table`."""

    text: str
    door: str
    family: str


_FILES = {
    "matters": "normal",
    "hard_normal": "normal",
    "to_cao": "to_cao",
    "khieu_nai": "khieu_nai",
    "khan": "khan",
    "xuc_pham": "xuc_pham",
    "quang_cao": "quang_cao",
}


@cache
def _tables(name: str) -> Mapping[str, Mapping[str, list[str]]]:
    text = files("core.doors").joinpath("training", f"{name}.toml").read_text("utf-8")
    parsed: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(text)
    return parsed


@cache
def families() -> tuple[Family, ...]:
    """Every family of every door, in file order."""
    found = []
    for name, door in _FILES.items():
        for table, content in _tables(name).items():
            if table != "slots":
                found.append(Family(door, f"{name}.{table}", tuple(content["lines"])))
    return tuple(found)


@cache
def _slots() -> Mapping[str, tuple[str, ...]]:
    merged: dict[str, tuple[str, ...]] = {}
    shared: Mapping[str, object] = tomllib.loads(
        files("core.doors").joinpath("training", "slots.toml").read_text("utf-8")
    )
    merged.update({key: tuple(values) for key, values in shared.items() if isinstance(values, list)})
    for name in _FILES:
        merged.update({k: tuple(v) for k, v in _tables(name).get("slots", {}).items()})
    return merged


class Writer:
    """Fills templates with a seeded dice; `half` 0 or 1 keeps to half of every slot's words (None: all)."""

    def __init__(self, seed: int, *, half: int | None = None) -> None:
        self.dice = random.Random(seed)
        self._half = half

    def fill(self, template: str) -> str:
        """One sentence of a template, options chosen and slots filled (slots may hold slots)."""
        text = _OPTIONS.sub(lambda m: self.dice.choice(m.group(1).split("|")), template)
        for _ in range(4):
            if "{" not in text:
                break
            text = _SLOT.sub(lambda m: self._word(m.group(1)), text)
        return re.sub(r"  +", " ", text).strip()

    def _word(self, slot: str) -> str:
        words = _slots()[slot]
        if self._half is not None and len(words) >= 4:
            words = words[self._half :: 2]
        return self.dice.choice(words)

    def message(self, family: Family) -> str:
        """A message of a family: perhaps with a greeting, another matter before or after, and phone
        spelling.
        """
        text = self.fill(self.dice.choice(family.lines))
        short = family.name in ("hard_normal.ngan_chao_hoi",) or family.door in ("xuc_pham", "quang_cao")
        if not short:
            text = self._surround(text, family.door)
        return self.spoil(text)

    def _surround(self, text: str, door: str) -> str:
        dice = self.dice
        chance = 0.35 if door == "normal" else 0.2
        if door != "khan" and dice.random() < chance:
            other = self.fill(dice.choice(dice.choice(matter_families()).lines))
            other = other[0].upper() + other[1:]
            text = f"{text}. {other}" if dice.random() < 0.5 else f"{other}. {text[0].upper() + text[1:]}"
        if dice.random() < 0.2:
            text = self.fill("{chao}") + " " + text
        if dice.random() < 0.25:
            text = text.rstrip(".?!") + "." + self.fill("{duoi}")
        return text

    def spoil(self, text: str) -> str:
        """Write as phones do: lower case, without diacritics, shortened, without stops, with slips."""
        dice = self.dice
        if dice.random() < 0.14:
            text = self._teencode(text)
        if dice.random() < 0.45:
            text = aligned_fold(text) if dice.random() < 0.6 else without_marks(text)
        elif dice.random() < 0.35:
            text = text.lower()
        if dice.random() < 0.15:
            text = re.sub(r"[.,;:!?]", "", text)
        if dice.random() < 0.08:
            text = self._slip(text)
        return text + dice.choice(("", "", "", "", ".", "!", "!!", " ạ", "..."))

    def _teencode(self, text: str) -> str:
        for word, forms in _TEENCODE.items():
            if self.dice.random() < 0.7:
                text = re.sub(rf"\b{word}\b", self.dice.choice(forms), text)
        return text

    def _slip(self, text: str) -> str:
        if len(text) < 12:
            return text
        at = self.dice.randrange(2, len(text) - 2)
        if self.dice.random() < 0.5:
            return text[:at] + text[at + 1 :]
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


@cache
def matter_families() -> tuple[Family, ...]:
    """The families of ordinary matters, one a field."""
    return tuple(f for f in families() if f.name.startswith("matters."))


def ordinary(*, seed: int) -> Iterator[Sample]:
    """Concerns of every field as the field classifier knows them, in phone spelling: most of what comes in.

    Lines that blame somebody in office are left out by `train`'s caller: they may be either.
    """
    writer = Writer(seed)
    for example in generate(tuple(field.code for field in fields()), rounds=1, seed=seed):
        yield Sample(writer.spoil(example.text), "normal", f"fields.{example.field}")


def write(
    chosen: tuple[Family, ...], *, per_family: int, seed: int, half: int | None = None
) -> Iterator[Sample]:
    """About `per_family` different messages of each family; fewer where templates do not give as many."""
    writer = Writer(seed, half=half)
    for family in chosen:
        seen: set[str] = set()
        for _ in range(per_family * 2):
            if len(seen) >= per_family:
                break
            text = writer.message(family)
            if text.casefold() not in seen:
                seen.add(text.casefold())
                yield Sample(text, family.door, family.name)

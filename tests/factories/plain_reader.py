"""A `Reader` for tests of the dialogue: words decide, so that a test can say what will be understood."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from core.intake.reading import CommuneAnswer, KnownConcern, NamedUnit, Reading
from core.intake.similarity import most_similar
from core.splitting import split_matters
from core.text.normal import fold
from core.topics.sameness import Places

NOWHERE = Places(None, ())
BAT_XAT = NamedUnit("02683", "Xã Bát Xát")
BAC_HA = NamedUnit("02839", "Xã Bắc Hà")
_FIELDS = (("duong", "giao_thong"), ("nuoc", "dien_nuoc"), ("rac", "moi_truong"), ("truong", "giao_duc"))
_DOORS = (("toi to cao ong", "to_cao"), ("toi khieu nai quyet dinh", "khieu_nai"), ("dang chay nha", "khan"))


class PlainReader:
    """Implements `core.intake.reading.Reader` by looking for folded words."""

    def read(self, text: str) -> Reading:
        """Field and door by words; the vector is a hash of letter trigrams, so equal texts are equal."""
        folded = fold(text)
        field = next((code for word, code in _FIELDS if word in folded.split()), None)
        door = next((door for words, door in _DOORS if words in folded), "normal")
        return Reading(
            field_code=field,
            field_confidence=0.9,
            unit_code=BAC_HA.code if "xa bac ha" in folded else None,
            place_text=None,
            door=door,
            door_reasons=() if door == "normal" else _as_typed(text, door),
            model="plain",
            vector=_vector(folded).tobytes(),
            themes=((f"{field}/{field}", 0.9),) if field else (),
            white=_vector(folded).tobytes(),
        )

    def split(self, text: str) -> Sequence[str]:
        """The real rule by wording."""
        return tuple(part.text for part in split_matters(text)) or (text,)

    def missing(self, text: str) -> str | None:
        """A bare "đường hỏng" has no place, "hỏng rồi" no object."""
        folded = fold(text).strip(" .!")
        return {"duong hong": "detail.place", "hong roi": "detail.object"}.get(folded)

    def commune(self, text: str) -> CommuneAnswer:
        """Two communes of Lào Cai, one elsewhere, and one ambiguous word."""
        folded = fold(text)
        if "ha noi" in folded:
            return CommuneAnswer(elsewhere=NamedUnit("00004", "Phường Ba Đình"))
        found = [u for u in (BAT_XAT, BAC_HA) if fold(u.name).removeprefix("xa ") in folded]
        if len(found) == 1:
            return CommuneAnswer(found=found[0])
        return CommuneAnswer(candidates=(BAT_XAT, BAC_HA) if "ba" in folded.split() else ())

    def most_similar(self, text: str, reading: Reading, known: Sequence[KnownConcern]) -> KnownConcern | None:
        """The real rule over these vectors."""
        return most_similar(text, reading, known, whiten=lambda rows: rows, where=lambda _: NOWHERE)


def _as_typed(text: str, door: str) -> tuple[str, ...]:
    words = next(words for words, name in _DOORS if name == door)
    start = fold(text).find(words)
    return (text[start : start + len(words)],)


def _vector(folded: str) -> np.ndarray:
    values = np.zeros(64, dtype="<f4")
    for start in range(len(folded) - 2):
        values[int(hashlib.md5(folded[start : start + 3].encode()).hexdigest(), 16) % 64] += 1
    return values / max(1e-9, float(np.linalg.norm(values)))

"""Understanding on this machine: field, place, legal door and vector, over the rooms that do each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from core.doors import check_door, missing_detail
from core.doors import ensure as ensure_doors
from core.fields import FieldClassifier
from core.intake.reading import NORMAL_DOOR, CommuneAnswer, KnownConcern, NamedUnit, Reading
from core.intake.similarity import most_similar
from core.places import Gazetteer, Unit
from core.places.answers import FoundPlaces
from core.settings import Settings
from core.splitting import split_matters
from core.text.embedding import load_embedder
from core.topics import themes
from core.topics.sameness import places_of

_REMEMBERED = 512


class LocalReader:
    """`Reader` over our own models. Loading takes seconds, so it happens at construction, once a process."""

    def __init__(self, settings: Settings) -> None:
        self._province = settings.province_code
        self._gazetteer = Gazetteer.load()
        self._embedder = load_embedder(settings.embedder)
        self._fields = FieldClassifier.load(settings.models_dir, embedder=self._embedder)
        self._doors = ensure_doors(settings.models_dir, _silent)
        self._themes = themes.ensure(settings.models_dir, self._fields, _silent)
        self._recent: OrderedDict[str, Reading] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, text: str) -> Reading:
        """Everything about one text; recent texts are remembered, because one turn asks several times."""
        with self._lock:
            known = self._recent.get(text)
            if known is not None:
                self._recent.move_to_end(text)
                return known
        reading = self._read(text)
        with self._lock:
            self._recent[text] = reading
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)
        return reading

    def _read(self, text: str) -> Reading:
        # One embedding, of the text with its marks put back: typed with or without them, a matter is one vector.
        readable = self._fields.read(text)
        vector = self._embedder.embed([readable.text])[0]
        guess = self._fields.classify_reading(readable, vector=vector)
        places = self._gazetteer.find(text, province=self._province)
        door = check_door(text, model=self._doors)
        return Reading(
            field_code=guess.code,
            field_confidence=float(guess.confidence),
            unit_code=self._own_unit(places.commune.unit),
            place_text=_place_text(places),
            door=door.door,
            door_reasons=tuple(reason.text for reason in door.reasons) if door.door != NORMAL_DOOR else (),
            model=self._embedder.name,
            vector=np.asarray(vector, dtype="<f4").tobytes(),
            themes=self._themes.read([readable.text], vector.reshape(1, -1))[0],
            white=self._fields.whitener.apply(vector.reshape(1, -1)).astype("<f4").tobytes(),
        )

    def split(self, text: str) -> Sequence[str]:
        """The matters of a message, by its wording and by the fields of its sentences."""
        return tuple(part.text for part in split_matters(text, self._fields.by_words)) or (text,)

    def missing(self, text: str) -> str | None:
        """The question of `core.doors.completeness`."""
        lacks = missing_detail(text, self._gazetteer.find(text, province=self._province))
        return lacks.question if lacks else None

    def _own_unit(self, unit: Unit | None) -> str | None:
        return unit.code if unit is not None and unit.province_code == self._province else None

    def commune(self, text: str) -> CommuneAnswer:
        """The commune that a short answer names; candidates inside our province come first."""
        answer = self._gazetteer.resolve(text, province=self._province)
        ours = [u for u in answer.candidates if u.province_code == self._province]
        if answer.unit is not None:
            named = _named(answer.unit)
            return (
                CommuneAnswer(found=named)
                if answer.unit.province_code == self._province
                else CommuneAnswer(elsewhere=named)
            )
        if len(ours) == 1:
            return CommuneAnswer(found=_named(ours[0]))
        return CommuneAnswer(candidates=tuple(_named(u) for u in ours))

    def most_similar(self, text: str, reading: Reading, known: Sequence[KnownConcern]) -> KnownConcern | None:
        """The surest same matter among the known ones, or None."""
        return most_similar(
            text,
            reading,
            known,
            whiten=self._fields.whitener.apply,
            where=lambda words: places_of(self._gazetteer, words),
        )


def _silent(_line: str) -> None:
    """Models are built beforehand with their progress shown; here they are only loaded."""


def _named(unit: Unit) -> NamedUnit:
    return NamedUnit(unit.code, unit.full_name)


def _place_text(places: FoundPlaces) -> str | None:
    spans = [*places.hamlets, *places.roads][:2]
    return ", ".join(span.text for span in spans)[:200] or None

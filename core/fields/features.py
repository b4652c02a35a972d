"""Three views of a message and a linear model on each: its words as written, its words folded, and the
whitened embedding.

Weights are plain arrays (no pickled objects), so a model folder can be checked and copied safely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from core.text.normal import fold, words
from core.text.teencode import expand_teencode

Matrix = NDArray[np.float64]


def folded_terms(text: str) -> list[str]:
    """Folded words and pairs of neighbours of a message, chat spellings written out, numbers made alike."""
    return _with_pairs(words(fold(expand_teencode(text))))


def written_terms(text: str) -> list[str]:
    """Words and pairs with their diacritics ("ma túy" is not "mà tùy"); for texts that were read already."""
    return _with_pairs(words(text.lower()))


def _with_pairs(found: Sequence[str]) -> list[str]:
    tokens = ["0" if token.isdigit() else token for token in found]
    return tokens + [f"{a} {b}" for a, b in pairwise(tokens)]


@dataclass(frozen=True)
class TermVectors:
    """TF-IDF over the terms of one view: `terms` in column order, `idf` of the same length."""

    terms: tuple[str, ...]
    idf: Matrix

    @classmethod
    def fit(cls, documents: Sequence[Sequence[str]], *, least: int = 2) -> TermVectors:
        """Keep the terms of at least `least` documents."""
        seen = Counter(term for document in documents for term in set(document))
        terms = tuple(sorted(term for term, n in seen.items() if n >= least))
        idf = np.array([np.log((1 + len(documents)) / (1 + seen[term])) + 1 for term in terms])
        return cls(terms, idf)

    def columns(self) -> dict[str, int]:
        """Column of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    def transform(self, documents: Sequence[Sequence[str]], columns: dict[str, int]) -> csr_matrix:
        """Sparse rows of length 1, one a document; unknown terms are left out."""
        rows: list[int] = []
        found: list[int] = []
        values: list[float] = []
        for row, document in enumerate(documents):
            counts = Counter(columns[term] for term in document if term in columns)
            weights = {c: (1 + np.log(n)) * self.idf[c] for c, n in counts.items()}
            length = float(np.sqrt(sum(w * w for w in weights.values()))) or 1.0
            rows.extend([row] * len(weights))
            found.extend(weights)
            values.extend(w / length for w in weights.values())
        return csr_matrix((values, (rows, found)), shape=(len(documents), len(self.terms)))


@dataclass(frozen=True)
class LinearModel:
    """Multinomial logistic regression as arrays: `weights` `(classes, features)`, `offsets` `(classes,)`."""

    weights: Matrix
    offsets: Matrix

    @classmethod
    def fit(
        cls, features: Any, labels: Sequence[int], *, strength: float, sample_weight: Matrix
    ) -> LinearModel:
        """Train with balanced classes; `labels` must run from 0 to the number of classes - 1, none missing."""
        model = LogisticRegression(C=strength, max_iter=300, class_weight="balanced")
        model.fit(features, np.asarray(labels), sample_weight=sample_weight)
        return cls(np.asarray(model.coef_, dtype=np.float64), np.asarray(model.intercept_, dtype=np.float64))

    def log_chances(self, features: Any) -> Matrix:
        """Natural logarithms of the class probabilities, shape `(rows, classes)`."""
        scores = np.asarray(features @ self.weights.T) + self.offsets
        scores -= scores.max(axis=1, keepdims=True)
        logs: Matrix = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return logs

    def save(self, path: Path) -> None:
        """Write an `.npz` file."""
        np.savez_compressed(path, weights=self.weights.astype(np.float32), offsets=self.offsets)

    @classmethod
    def load(cls, path: Path) -> LinearModel:
        """Read what `save` wrote. Raises `OSError`, `ValueError` or `KeyError` for anything else."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["weights"].astype(np.float64), stored["offsets"].astype(np.float64))


@dataclass(frozen=True)
class WordView:
    """A linear model over the terms of a view."""

    terms: TermVectors
    model: LinearModel

    @classmethod
    def fit(
        cls,
        documents: Sequence[Sequence[str]],
        labels: Sequence[int],
        *,
        corrections: Sequence[Sequence[str]],
        strength: float,
        sample_weight: Matrix,
    ) -> WordView:
        """Train; `labels` and `sample_weight` cover the documents, then the corrections.

        A term that a single correction brought is kept: corrections are rare and right.
        """
        terms = TermVectors.fit([*documents, *corrections, *corrections])
        rows = terms.transform([*documents, *corrections], terms.columns())
        return cls(terms, LinearModel.fit(rows, labels, strength=strength, sample_weight=sample_weight))

    def log_chances(self, documents: Sequence[Sequence[str]], columns: dict[str, int]) -> Matrix:
        """Logarithms of the class probabilities of documents; `columns` is `terms.columns()`."""
        return self.model.log_chances(self.terms.transform(documents, columns))

    def save(self, folder: Path, name: str) -> None:
        """Write two `.npz` files into an existing folder."""
        np.savez_compressed(
            folder / f"{name}-terms.npz", terms=np.array(self.terms.terms), idf=self.terms.idf
        )
        self.model.save(folder / f"{name}.npz")

    @classmethod
    def load(cls, folder: Path, name: str) -> WordView:
        """Read what `save` wrote. Raises `OSError`, `ValueError` or `KeyError` for anything else."""
        with np.load(folder / f"{name}-terms.npz", allow_pickle=False) as stored:
            terms = TermVectors(tuple(stored["terms"].tolist()), stored["idf"].astype(np.float64))
        return cls(terms, LinearModel.load(folder / f"{name}.npz"))

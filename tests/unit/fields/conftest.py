"""Field models for tests: one with a quick embedder, and the real one for measuring."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.fields import FieldClassifier
from core.fields.evaluation import FieldRow
from core.fields.learning import own_rows
from core.text.embedding import Vectors, unit_rows
from core.text.normal import fold, words


class WordHashEmbedder:
    """An `Embedder` that counts folded words in 96 buckets: texts that share words are near."""

    name = "word-hash-96"
    dim = 96

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), self.dim), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in words(fold(text)):
                rows[row, int(hashlib.md5(word.encode()).hexdigest(), 16) % self.dim] += 1
        return unit_rows(rows)


@pytest.fixture(scope="session")
def quick_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a model trained on the quick embedder."""
    folder = tmp_path_factory.mktemp("models")
    FieldClassifier.ensure(folder, lambda _line: None, embedder=WordHashEmbedder())
    return folder


@pytest.fixture(scope="session")
def quick(quick_models: Path) -> FieldClassifier:
    """That model, loaded."""
    return FieldClassifier.load(quick_models, embedder=WordHashEmbedder())


@pytest.fixture(scope="session")
def fresh_rows() -> list[FieldRow]:
    """Concerns written without looking at the training templates, several fields each."""
    return own_rows()

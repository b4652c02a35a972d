"""The trained field model: its parts, how it is built, kept in a folder and read back.

A model folder (`<models>/fields-<hash>/`) holds plain arrays and JSON only. The hash covers the templates, the
versions of the packages that text is taken from, the settings below and the embedder's name, so a changed input
makes a new folder and an old one is never mistaken for it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.fields.catalogue import fields
from core.fields.features import LinearModel, Matrix, WordView, folded_terms, written_terms
from core.fields.generator import Example, generate, plain_lines, templates_digest
from core.text.corpora import everyday_lines, general_text
from core.text.embedding import Embedder, Vectors
from core.text.folders import put_folder
from core.text.reading import read
from core.text.restoration import Restorer
from core.text.whitening import Whitener

Progress = Callable[[str], None]

# Chosen by leaving whole template lines out (5 folds), not on the sample data.
_EMBEDDED_ROUNDS = 1
_WORD_ROUNDS = 3
_SEED = 7
_EMBEDDING_STRENGTH = 3.0
_WORD_STRENGTH = 10.0
_WHITENING_POWER = 0.5
# A corrected concern counts as much as this many generated texts.
_CORRECTION_WEIGHT = 4.0
_EMBED_BATCH = 200
_FORMAT = "5"


@dataclass(frozen=True)
class Correction:
    """A text that a clerk put into a field (`code`)."""

    text: str
    code: str


@dataclass(frozen=True)
class FieldModel:
    """All trained parts. `vectors` (float32 unit rows) and `codes` of the embedded examples allow retraining."""

    codes: tuple[str, ...]
    restorer: Restorer
    whitener: Whitener
    by_folded: WordView
    by_written: WordView
    by_vector: LinearModel
    vectors: Vectors
    labels: NDArray[np.int64]
    embedder_name: str

    def save(self, folder: Path) -> None:
        """Write all parts into an existing folder."""
        self.restorer.save(folder / "restorer.npz")
        self.whitener.save(folder / "whitener.npz")
        self.by_folded.save(folder, "folded")
        self.by_written.save(folder, "written")
        self.by_vector.save(folder / "vector.npz")
        np.savez_compressed(
            folder / "examples.npz", vectors=self.vectors.astype(np.float16), labels=self.labels
        )
        facts = {"codes": self.codes, "embedder": self.embedder_name, "format": _FORMAT}
        (folder / "model.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> FieldModel:
        """Read a folder that `save` wrote. Raises `OSError`, `ValueError` or `KeyError` for anything else."""
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "examples.npz", allow_pickle=False) as stored:
            vectors, labels = stored["vectors"].astype(np.float32), stored["labels"].astype(np.int64)
        return cls(
            tuple(facts["codes"]),
            Restorer.load(folder / "restorer.npz"),
            Whitener.load(folder / "whitener.npz"),
            WordView.load(folder, "folded"),
            WordView.load(folder, "written"),
            LinearModel.load(folder / "vector.npz"),
            vectors,
            labels,
            facts["embedder"],
        )


def field_codes() -> tuple[str, ...]:
    """Codes in the order of the catalogue, the class order of every model."""
    return tuple(field.code for field in fields())


def model_key(embedder_name: str) -> str:
    """Hash of everything that a model without corrections depends on."""
    digest = hashlib.sha256()
    settings = (_FORMAT, _EMBEDDED_ROUNDS, _WORD_ROUNDS, _SEED, _EMBEDDING_STRENGTH, _WORD_STRENGTH)
    parts = [embedder_name, templates_digest(field_codes()), repr(settings), repr(_WHITENING_POWER)]
    parts += [version(package) for package in ("underthesea", "vietnam-provinces", "scikit-learn")]
    parts += everyday_lines()
    digest.update("\n".join(parts).encode())
    return digest.hexdigest()[:16]


def model_folder(models: Path, embedder_name: str) -> Path:
    """Where the model for this code and embedder belongs; it may not exist yet."""
    return models / f"fields-{model_key(embedder_name)}"


def build(models: Path, *, embedder: Embedder, progress: Progress) -> Path:
    """Train a model and put its folder under `models`; about a minute on two cores.

    `progress` gets one Vietnamese line a step. The folder appears by one rename, complete or not at all, so a
    killed build leaves nothing half done. Raises `EmbedderError` or `CorpusMissing`.
    """
    target = model_folder(models, embedder.name)
    models.mkdir(parents=True, exist_ok=True)
    model = train(embedder, corrections=(), progress=progress)
    put_folder(model, target)
    progress(f"Lĩnh vực: đã lưu mô hình {target.name}.")
    return target


def train(embedder: Embedder, *, corrections: Sequence[Correction], progress: Progress) -> FieldModel:
    """Train everything from the generated texts and the corrections."""
    codes = field_codes()
    progress("Lĩnh vực: học cách thêm dấu…")
    restorer = Restorer.train(_restoration_text(codes))
    examples = embedded_examples(codes)
    vectors = embed_all(embedder, [example.text for example in examples], progress=progress)
    labels = np.array([codes.index(example.field) for example in examples], dtype=np.int64)
    return _fit(codes, restorer, vectors, labels, embedder, corrections=corrections, progress=progress)


def retrain(
    model: FieldModel, embedder: Embedder, *, corrections: Sequence[Correction], progress: Progress
) -> FieldModel:
    """The same model with corrections added; only the corrections are embedded. Takes seconds."""
    return _fit(
        model.codes,
        model.restorer,
        model.vectors,
        model.labels,
        embedder,
        corrections=corrections,
        progress=progress,
    )


def _fit(
    codes: tuple[str, ...],
    restorer: Restorer,
    vectors: Vectors,
    labels: NDArray[np.int64],
    embedder: Embedder,
    *,
    corrections: Sequence[Correction],
    progress: Progress,
) -> FieldModel:
    corrected = np.array([codes.index(c.code) for c in corrections], dtype=np.int64)
    readable = [read(c.text, restorer).text for c in corrections]
    whitener = Whitener.fit(vectors, power=_WHITENING_POWER)
    rows = np.vstack([vectors, embedder.embed(readable)])
    progress("Lĩnh vực: học theo nghĩa câu…")
    by_vector = LinearModel.fit(
        whitener.apply(rows),
        np.concatenate([labels, corrected]).tolist(),
        strength=_EMBEDDING_STRENGTH,
        sample_weight=_weights(len(labels), len(corrected)),
    )
    progress("Lĩnh vực: học theo từ ngữ…")
    folded, written = _fit_words(codes, corrections, restorer)
    return FieldModel(codes, restorer, whitener, folded, written, by_vector, vectors, labels, embedder.name)


def _fit_words(
    codes: tuple[str, ...], corrections: Sequence[Correction], restorer: Restorer
) -> tuple[WordView, WordView]:
    examples = word_examples(codes)
    labels = [codes.index(example.field) for example in examples] + [codes.index(c.code) for c in corrections]
    weights = _weights(len(examples), len(corrections))
    folded = WordView.fit(
        [folded_terms(example.text) for example in examples],
        labels,
        corrections=[folded_terms(c.text) for c in corrections],
        strength=_WORD_STRENGTH,
        sample_weight=weights,
    )
    written = WordView.fit(
        [written_terms(example.text) for example in examples],
        labels,
        corrections=[written_terms(read(c.text, restorer).text) for c in corrections],
        strength=_WORD_STRENGTH,
        sample_weight=weights,
    )
    return folded, written


def embedded_examples(codes: tuple[str, ...]) -> list[Example]:
    """The generated texts whose vectors a model keeps, in the order of `FieldModel.vectors`."""
    return list(generate(codes, rounds=_EMBEDDED_ROUNDS, seed=_SEED))


def word_examples(codes: tuple[str, ...]) -> list[Example]:
    """The generated texts that the word model (and the baseline of the evaluation) is trained on."""
    return list(generate(codes, rounds=_WORD_ROUNDS, seed=_SEED))


def _weights(generated: int, corrected: int) -> Matrix:
    return np.concatenate([np.ones(generated), np.full(corrected, _CORRECTION_WEIGHT)])


def _restoration_text(codes: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    yield from general_text()
    ours = (
        *plain_lines(codes, rounds=4, seed=_SEED),
        *(e.text for e in generate(codes, rounds=2, seed=_SEED)),
    )
    yield from ((line, 1.0) for line in dict.fromkeys(ours))


def embed_all(embedder: Embedder, texts: Sequence[str], *, progress: Progress) -> Vectors:
    """Vectors of many texts, with a progress line now and then."""
    started = time.monotonic()
    parts: list[Vectors] = []
    for start in range(0, len(texts), _EMBED_BATCH):
        parts.append(embedder.embed(texts[start : start + _EMBED_BATCH]))
        done = min(start + _EMBED_BATCH, len(texts))
        if (start // _EMBED_BATCH) % 3 == 0 or done == len(texts):
            progress(f"Lĩnh vực: đã đọc {done}/{len(texts)} câu ({time.monotonic() - started:.0f} giây).")
    return np.vstack(parts)

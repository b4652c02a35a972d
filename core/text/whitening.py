"""Centring and whitening of embeddings: raw e5 cosines all lie in 0.8 to 0.97, too close for any threshold.

The directions that all Vietnamese sentences share are measured on a background corpus (sentences that this
project generates) and taken away. The method is "all but the top" with soft scaling of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.text.embedding import Vectors, unit_rows


@dataclass(frozen=True)
class Whitener:
    """`mean` has shape `(dim,)`; `basis` has shape `(dim, kept)` and maps centred vectors to scaled axes."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]

    @classmethod
    def fit(cls, background: Vectors, *, keep: int | None = None, power: float = 0.5) -> Whitener:
        """Measure a background of unit rows, at least a few hundred.

        `keep` is how many axes stay (all by default). `power` 0 only centres and rotates, 1 whitens fully;
        0.5 damps the loud axes without blowing noise up. Raises `ValueError` for fewer than two rows.
        """
        if background.ndim != 2 or len(background) < 2:
            raise ValueError("a background of at least two vectors is needed")
        mean = background.mean(axis=0)
        centred = background - mean
        covariance = centred.T @ centred / len(background)
        values, vectors = np.linalg.eigh(covariance.astype(np.float64))
        order = np.argsort(values)[::-1][: keep or len(values)]
        # Shrunk towards their mean: axes that the background hardly uses would otherwise be blown-up noise.
        spread = np.sqrt(0.8 * np.maximum(values[order], 0) + 0.2 * values[order].mean())
        basis = vectors[:, order] / (spread / spread[0]) ** power
        return cls(mean.astype(np.float32), basis.astype(np.float32))

    def apply(self, vectors: Vectors) -> Vectors:
        """Unit rows of shape `(n, kept)`; cosines of unrelated texts then lie around 0."""
        return unit_rows((vectors - self.mean) @ self.basis)

    def save(self, path: Path) -> None:
        """Write both arrays to an `.npz` file."""
        np.savez(path, mean=self.mean, basis=self.basis)

    @classmethod
    def load(cls, path: Path) -> Whitener:
        """Read what `save` wrote; pickled content is refused. Raises `OSError`, `ValueError`, `KeyError`."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["mean"].astype(np.float32), stored["basis"].astype(np.float32))

"""What grouping is measured against: TF-IDF with HDBSCAN, and BERTopic where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import count
from typing import Any

import numpy as np

from core.text.embedding import Vectors
from core.text.normal import clean

_LEAST = 2
_COMPONENTS = 50


def tfidf_hdbscan(texts: Sequence[str], *, seed: int) -> list[int]:
    """Topic numbers as anybody would get them first; what HDBSCAN calls noise stays alone."""
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    if len(texts) <= _LEAST:
        return list(range(len(texts)))
    rows = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform([clean(t) for t in texts])
    size = min(_COMPONENTS, rows.shape[1] - 1, len(texts) - 1)
    dense = normalize(TruncatedSVD(max(size, 1), random_state=seed).fit_transform(rows))
    return noise_alone(HDBSCAN(min_cluster_size=_LEAST, copy=True).fit_predict(dense))


def bertopic(texts: Sequence[str], vectors: Vectors, *, seed: int) -> list[int] | None:
    """BERTopic with its defaults and a seed on the same vectors; None where the extra is not installed."""
    if find_spec("bertopic") is None:
        return None
    from bertopic import BERTopic
    from umap import UMAP

    reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    found, _ = BERTopic(umap_model=reducer, calculate_probabilities=False).fit_transform(
        list(texts), embeddings=np.asarray(vectors)
    )
    return noise_alone(found)


def noise_alone(labels: Sequence[Any]) -> list[int]:
    """The same labels, each -1 a topic of its own."""
    fresh = count(int(max(labels, default=0)) + 1)
    return [next(fresh) if label < 0 else int(label) for label in labels]

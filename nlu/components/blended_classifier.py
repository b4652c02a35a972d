"""Intents from two views of a message: its folded words and letters, and its sentence vector.

Each view has a logistic regression of its own; their log-probabilities are averaged with a fixed weight. The
folded view does not see diacritics, so it holds when they are missing; the vector knows words that no
example has, but little of those without their diacritics. Weights and fallback threshold were chosen on
left-out templates (`nlu/measure.py`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

_MARKED = re.compile(r"[\u0300-\u036fđĐ]")
_FILE = "classifier.joblib"
# Centred unit vectors are short; the regression's regularisation wants them near length one.
_STRETCH = 4.0


class TwoViews:
    """The classifier itself, without Rasa: folded token texts and vectors in, probabilities out."""

    def __init__(
        self, words_weight: float, *, plain_weight: float = 0.9, c_words: float = 8.0, c_vectors: float = 20.0
    ) -> None:
        self.words_weight = words_weight
        self.plain_weight = plain_weight
        self._words = TfidfVectorizer(
            token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32
        )
        self._letters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2, dtype=np.float32
        )
        self._by_words = LogisticRegression(C=c_words, max_iter=150, tol=0.005)
        self._by_vectors = LogisticRegression(C=c_vectors, max_iter=300, tol=0.005)
        self._centre = np.zeros(0, dtype=np.float32)

    @property
    def intents(self) -> list[str]:
        """Names in the order of the columns of `probabilities`."""
        return [str(name) for name in self._by_words.classes_]

    def fit(self, texts: list[str], vectors: np.ndarray, intents: list[str]) -> TwoViews:
        """Learn both views."""
        self._words.fit(texts)
        self._letters.fit(texts)
        self._by_words.fit(self._folded(texts), intents)
        self._centre = vectors.mean(axis=0)
        self._by_vectors.fit((vectors - self._centre) * _STRETCH, intents)
        return self

    def _folded(self, texts: list[str]) -> csr_matrix:
        return hstack([self._words.transform(texts), self._letters.transform(texts)]).tocsr()

    def probabilities(self, texts: list[str], vectors: np.ndarray, plain: np.ndarray) -> np.ndarray:
        """One row a text; each sums to one. `plain` is true where the message was written without diacritics."""
        by_words = self._by_words.predict_log_proba(self._folded(texts))
        by_vectors = self._by_vectors.predict_log_proba((vectors - self._centre) * _STRETCH)
        weight = np.where(plain, self.plain_weight, self.words_weight)[:, None]
        mixed = weight * by_words + (1 - weight) * by_vectors
        mixed = np.exp(mixed - mixed.max(axis=1, keepdims=True))
        return mixed / mixed.sum(axis=1, keepdims=True)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class BlendedClassifier(IntentClassifier, GraphComponent):
    """`TwoViews` in Rasa's graph, behind a tokenizer and one dense featurizer."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Shares of the folded view with and without diacritics; `ranking`: how many intents are told."""
        return {"words_weight": 0.8, "plain_weight": 0.9, "ranking": 5}

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: TwoViews | None = None
    ) -> None:
        self._ranking = int(config["ranking"])
        self._storage, self._resource = storage, resource
        self._model = model or TwoViews(
            float(config["words_weight"]), plain_weight=float(config["plain_weight"])
        )

    @classmethod
    def required_components(cls) -> list[type]:
        """None by class: any tokenizer and any dense featurizer will do."""
        return []

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed."""
        return ["sklearn"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> BlendedClassifier:
        """An untrained one."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> BlendedClassifier:
        """The trained one out of the model archive, which our own training wrote."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, joblib.load(folder / _FILE))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that have an intent."""
        examples = [m for m in training_data.intent_examples if m.get(TEXT)]
        self._model.fit(_texts(examples), _vectors(examples), [m.get(INTENT) for m in examples])
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / _FILE, compress=3)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking of every message."""
        if not messages:
            return messages
        names = self._model.intents
        rows = self._model.probabilities(_texts(messages), _vectors(messages), _plain(messages))
        for message, row in zip(messages, rows, strict=True):
            best = np.argsort(-row)[: self._ranking]
            ranking = [{"name": names[i], "confidence": float(row[i])} for i in best]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages


def _texts(messages: list[Message]) -> list[str]:
    return [" ".join(token.text for token in m.get(TOKENS_NAMES[TEXT]) or []) for m in messages]


def _plain(messages: list[Message]) -> np.ndarray:
    """Whether each was typed without a single diacritic, đ included."""
    return np.array([not _MARKED.search(unicodedata.normalize("NFD", m.get(TEXT) or "")) for m in messages])


def _vectors(messages: list[Message]) -> np.ndarray:
    rows = [m.get_dense_features(TEXT, [])[1] for m in messages]
    return np.vstack([row.features for row in rows])

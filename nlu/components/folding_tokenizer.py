"""Words of a Vietnamese message without diacritics: typed with or without them, they are the same features."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from components.spelling import expand

_WORD = re.compile(r"\w+|[?!]+", re.UNICODE)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class FoldingTokenizer(Tokenizer):
    """Tokens are folded words with common chat spellings written out; offsets refer to the original text."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """No settings of our own."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FoldingTokenizer:
        """Made by Rasa's graph."""
        return cls(config)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Folded tokens of one attribute; a text without words gives one placeholder token."""
        text = unicodedata.normalize("NFC", message.get(attribute) or "")
        tokens = [Token(expand(m.group().lower()), m.start(), m.end()) for m in _WORD.finditer(text)]
        return tokens or [Token("_", 0, max(1, len(text)))]

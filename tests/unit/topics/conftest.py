"""The trained models, built once where they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.fields import FieldClassifier
from core.topics import themes
from core.topics.themes import ThemeModel

MODELS = Path(__file__).parents[3] / "var" / "models"


@pytest.fixture(scope="session")
def trained() -> tuple[FieldClassifier, ThemeModel]:
    """Fields and themes."""
    fields = FieldClassifier.ensure(MODELS, lambda _line: None)
    return fields, themes.ensure(MODELS, fields, lambda _line: None)

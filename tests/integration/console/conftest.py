"""A console over each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.console import Office
from tests.factories.records import Commune


@pytest.fixture
def office(commune: Commune) -> Iterator[Office]:
    """The console of a province with two communes."""
    made = Office(commune)
    yield made
    made.close()

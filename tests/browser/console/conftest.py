"""One served console for the browser tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.console_office import served_office
from tests.factories.console import Office


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """The office and the console's address."""
    with served_office(tmp_path_factory.mktemp("console")) as made:
        yield made

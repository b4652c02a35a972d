"""The door model, trained once for all tests of this room (a few seconds)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.doors import DoorModel, ensure


@pytest.fixture(scope="session")
def door_model(tmp_path_factory: pytest.TempPathFactory) -> DoorModel:
    folder: Path = tmp_path_factory.mktemp("models")
    return ensure(folder, lambda _line: None)

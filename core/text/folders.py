"""Model folders that appear complete or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol


class Savable(Protocol):
    """A model that writes its parts into a folder."""

    def save(self, folder: Path) -> None:
        """Write all parts into an existing folder."""
        ...


def put_folder(model: Savable, target: Path) -> None:
    """Write a model folder by one rename; a folder that is already there is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    model.save(scratch)
    if target.exists():
        old = target.with_name(f".{target.name}.old.{os.getpid()}")
        target.rename(old)
        scratch.rename(target)
        shutil.rmtree(old)
        return
    scratch.rename(target)

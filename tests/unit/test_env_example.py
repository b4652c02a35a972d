"""The example file names every setting, no other, and what it gives can be read."""

from __future__ import annotations

import re
from pathlib import Path

from core.settings import Settings

TEXT = (Path(__file__).parents[2] / ".env.example").read_text("utf-8")


def test_every_setting_is_there_and_no_other() -> None:
    there = set(re.findall(r"^(NGHEDAN_\w+)=", TEXT, re.MULTILINE))
    assert there == {f"NGHEDAN_{name.upper()}" for name in Settings.model_fields}


def test_it_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(TEXT, "utf-8")
    given = Settings(_env_file=file)
    assert given == Settings(_env_file=None)

"""Run `nghedan` in this process, on a database of each kind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout; anything more there fails."""
        value = json.loads(self.stdout)
        assert isinstance(value, dict)
        assert self.stdout.count("\n") == 1
        return value


Nghedan = Callable[..., Ran]


@pytest.fixture
def nghedan(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Nghedan:
    """Run one command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NGHEDAN_DATABASE_URL", database_url)
    monkeypatch.setenv("NGHEDAN_DATA_DIR", str(tmp_path))

    def run(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["nghedan", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capsys.readouterr()
        return Ran(int(str(ended.value.code or 0)), out.out, out.err)

    return run

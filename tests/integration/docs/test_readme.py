"""Every command that the README shows is one that works, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import utc_now
from storage.migrate import upgrade

ROOT = Path(__file__).parents[3]
_BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINES = [
    line for block in _BLOCK.findall((ROOT / "README.md").read_text("utf-8")) for line in block.splitlines()
]
_OURS = [line.removeprefix("uv run nghedan ") for line in _LINES if line.startswith("uv run nghedan ")]
# These need the running system: tests/system and the tests of the check command run them.
_ELSEWHERE = ("rehearse", "check")
_MAKE = [line.removeprefix("make ") for line in _LINES if line.startswith("make ")]


def _in_the_future(command: str) -> str:
    days = iter((20, 10))
    return re.sub(
        r"\d{4}-\d{2}-\d{2}T",
        lambda _: (utc_now() + timedelta(days=next(days))).strftime("%Y-%m-%dT"),
        command,
    )


@pytest.mark.slow
def test_the_commands_of_a_session_work_one_after_the_other(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'nghedan.db'}")
    _seed(tmp_path)
    commands = [c for c in _OURS if not c.startswith(_ELSEWHERE)]
    assert len(commands) >= 8
    for command in commands:
        _run(command, folder=tmp_path)
    assert (tmp_path / "chuong-trinh.docx").stat().st_size > 5_000
    assert (tmp_path / "chuong-trinh.xlsx").stat().st_size > 3_000


def _seed(folder: Path) -> None:
    from bot.prepare import seed_units
    from core.settings import Settings

    seed_units(Settings(_env_file=None, data_dir=folder))


def _run(command: str, *, folder: Path) -> None:
    program = "from bot.cli import main; main()"
    finished = subprocess.run(
        [sys.executable, "-c", program, *shlex.split(_in_the_future(command))],
        cwd=folder,
        env={**os.environ, "NGHEDAN_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"


@pytest.mark.parametrize("target", sorted(set(_MAKE)))
def test_the_make_targets_exist(target: str) -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{re.escape(target)}:", text, re.MULTILINE)


@pytest.mark.parametrize(
    "page", ["README.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)
def test_the_links_and_pictures_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), link

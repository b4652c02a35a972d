"""`nghedan agenda digest`: one page for the chair, in both formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.documents import DIGEST_FORMATS
from tests.factories.plain_reader import BAT_XAT
from tests.factories.records import Commune
from tests.factories.topics import WORDS, tell
from tests.integration.cli.conftest import Nghedan


@pytest.mark.parametrize("kind", sorted(DIGEST_FORMATS))
def test_the_command_writes_the_page(nghedan: Nghedan, commune: Commune, tmp_path: Path, kind: str) -> None:
    session_id = commune.collecting()
    tell(
        commune.database,
        list(WORDS),
        session_id=session_id,
        unit_code=BAT_XAT.code,
        now=commune.clock.at,
    )
    made = nghedan("agenda", "digest", "--session", str(session_id), "--format", kind, "--json")
    assert made.code == 0
    assert made.json["concerns"] == len(WORDS)
    assert (tmp_path / made.json["path"]).stat().st_size > 500


def test_another_format_or_session_is_refused(nghedan: Nghedan, commune: Commune) -> None:
    session_id = commune.collecting()
    refused = nghedan("agenda", "digest", "--session", str(session_id), "--format", "pdf")
    assert (refused.code, "unknown_format" in refused.stderr) == (1, True)
    assert nghedan("agenda", "digest", "--session", "99").code == 1

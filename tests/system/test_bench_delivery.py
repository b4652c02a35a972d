"""`nghedan bench delivery` against the strict fakes in their own processes, a killed sender included."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bot.cli import app

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("channel", "rate", "kills"), [("telegram", "30", 0), ("zalo_oa", "2000", 1), ("zalo_bot", "50", 0)]
)
def test_everybody_gets_it_once_within_the_limits(channel: str, rate: str, kills: int) -> None:
    ran = CliRunner().invoke(
        app,
        [
            "bench", "delivery", "--recipients", "120", "--channel", channel, "--rate", rate,
            "--latency-ms", "20", "--kills", str(kills), "--json",
        ],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert (figures["recipients"], figures["lost"], figures["duplicate"]) == (120, 0, 0)
    assert figures["unknown"] <= 16 * kills
    assert figures["violations"] == 0
    assert figures["baseline"]["recipients"] > 0

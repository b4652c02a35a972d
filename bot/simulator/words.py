"""The Vietnamese words of the page, from its one catalogue `page_vi.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def page_words() -> dict[str, Any]:
    """Sections of the catalogue; read at first use."""
    words: dict[str, Any] = tomllib.loads(files("bot.simulator").joinpath("page_vi.toml").read_text("utf-8"))
    return words

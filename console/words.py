"""The Vietnamese words of the console, from its one catalogue."""

from __future__ import annotations

from core.wording.catalogue import Catalogue

WORDS = Catalogue("console_vi.toml", package="console")
say = WORDS.say

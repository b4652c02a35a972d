"""Rotating tokens are renewed long before they end, so that a night without traffic costs no connection."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from core.outbox.port import SendError

log = structlog.get_logger("nghedan.upkeep")

_EVERY_S = 1800.0


class Rotating(Protocol):
    """Tokens that can be renewed ahead of time."""

    async def refresh_if_due(self) -> bool:
        """Renew when less than half of the token's life is left; True when it happened. Raises `SendError`."""
        ...


class TokenUpkeep:
    """Looks twice an hour; the store's lock lets one process at a time spend the single-use token."""

    def __init__(self, tokens: Rotating, *, account: str, every_s: float = _EVERY_S) -> None:
        self._tokens = tokens
        self._account = account
        self._every_s = every_s

    async def run(self) -> None:
        """Work until cancelled. A refusal needs a person: it is repeated in the log until somebody acts."""
        while True:
            try:
                if await self._tokens.refresh_if_due():
                    log.info("tokens renewed", account=self._account)
            except SendError as error:
                log.error("tokens not renewed", account=self._account, code=error.code, reason=str(error))
            await asyncio.sleep(self._every_s)

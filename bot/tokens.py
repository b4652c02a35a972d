"""Rotating tokens of one account in the database: one refreshes, the new pair is durable before use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.orm import Session

from core.clock import utc_now
from core.outbox import lease
from core.outbox.port import TokenPair
from storage.database import Database
from storage.models import ChannelState

# Longer than any HTTP timeout of a refresh: two holders would both spend the single-use token.
_LOCK_TTL_S = 60.0
_RETRY_S = 0.1


class DatabaseTokenStore:
    """`TokenStore` of one (channel, account) in `channel_state`."""

    def __init__(self, database: Database, *, channel: str, account_id: str, holder: str) -> None:
        self._database = database
        self._key = (channel, account_id)
        self._holder = holder
        # The lease lets the same holder in again, so tasks of one process need their own lock.
        self._local = asyncio.Lock()

    async def load(self) -> TokenPair | None:
        """The newest durable pair."""
        return await asyncio.to_thread(self._load)

    def _load(self) -> TokenPair | None:
        with self._database.read() as session:
            state = session.get(ChannelState, self._key)
            if state is None or not state.access_token or not state.refresh_token:
                return None
            if state.token_expires_at is None:
                return None
            return TokenPair(state.access_token, state.refresh_token, state.token_expires_at)

    async def save(self, pair: TokenPair) -> None:
        """Write the new pair and keep the previous refresh token."""
        await asyncio.to_thread(self._save, pair)

    def _save(self, pair: TokenPair) -> None:
        with self._database.write() as session:
            state = self._state(session)
            state.previous_refresh_token = state.refresh_token
            state.access_token = pair.access_token
            state.refresh_token = pair.refresh_token
            state.token_expires_at = pair.expires_at

    async def recall(self, name: str) -> str | None:
        """A fact that `remember` kept."""
        return await asyncio.to_thread(self._recall, name)

    def _recall(self, name: str) -> str | None:
        with self._database.read() as session:
            state = session.get(ChannelState, self._key)
            return state.facts.get(name) if state else None

    async def remember(self, name: str, value: str | None) -> None:
        """Keep a fact of the account, or forget it."""
        await asyncio.to_thread(self._remember, name, value)

    def _remember(self, name: str, value: str | None) -> None:
        with self._database.write() as session:
            state = self._state(session)
            facts = {key: kept for key, kept in state.facts.items() if key != name}
            state.facts = facts if value is None else {**facts, name: value}

    def _state(self, session: Session) -> ChannelState:
        state = session.get(ChannelState, self._key, with_for_update=True)
        if state is None:
            state = ChannelState(channel=self._key[0], account_id=self._key[1], facts={})
            session.add(state)
        return state

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Exclusive across tasks and processes."""
        name = f"token:{self._key[0]}:{self._key[1]}"
        async with self._local:
            # Other processes cannot ring an event here: the lease's row is asked again.
            while not await asyncio.to_thread(self._acquire, name):  # noqa: ASYNC110
                await asyncio.sleep(_RETRY_S)
            try:
                yield
            finally:
                await asyncio.to_thread(self._release, name)

    def _acquire(self, name: str) -> bool:
        with self._database.write() as session:
            return lease.acquire(session, name, holder=self._holder, ttl_s=_LOCK_TTL_S, now=utc_now())

    def _release(self, name: str) -> None:
        with self._database.write() as session:
            lease.release(session, name, holder=self._holder)

"""OAuth v4 of Zalo OA: single-use refresh tokens, one refresh at a time, durable before use.

Source: docs.zaloplatforms.com/docs/OA/bat-dau, read through notes of September 2026. Errors come as HTTP 200
with `error_name`; so success is an access token in the answer, not a status.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import httpx

from core.outbox.alarms import ALARM_FACT
from core.outbox.port import NotDelivered, OutcomeUnknown, SendFailure, TokenPair, TokenStore

_PATH = "/v4/oa/access_token"
_FIRST_FACT = "first_refresh_token"
# Access tokens live 25 hours; half of that is left when we refresh, so one missed run costs nothing.
_REFRESH_BEFORE = timedelta(hours=12)


class ZaloOATokens:
    """The account's current access token; refreshed when due or when the platform refuses it."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        store: TokenStore,
        *,
        oauth_base_url: str,
        app_id: str,
        app_secret: str,
        first_refresh_token: str,
    ) -> None:
        self._client = client
        self._store = store
        self._url = oauth_base_url + _PATH
        self._app_id = app_id
        self._app_secret = app_secret
        self._first = first_refresh_token

    async def access_token(self) -> str:
        """A token that should work; raises `NotDelivered` when staff must act."""
        pair = await self._store.load()
        if pair is None or pair.expires_at <= datetime.now(UTC):
            return await self.refresh(refused=pair.access_token if pair else None)
        return pair.access_token

    async def refresh_if_due(self) -> bool:
        """Refresh well before the end; True when it happened. Called twice an hour by one holder."""
        pair = await self._store.load()
        if pair is not None and pair.expires_at - datetime.now(UTC) > _REFRESH_BEFORE:
            return False
        await self.refresh(refused=pair.access_token if pair else None)
        return True

    async def refresh(self, *, refused: str | None) -> str:
        """Get a new pair unless somebody else just did; `refused` is the token that did not work."""
        async with self._store.lock():
            pair = await self._store.load()
            if pair is not None and pair.access_token != refused:
                return pair.access_token
            try:
                fresh = await self._exchange(await self._refresh_token(pair))
            except NotDelivered as error:
                if error.failure is SendFailure.ACCOUNT_STOPPED:
                    await self._store.remember(ALARM_FACT, error.code)
                raise
            await self._store.save(fresh)
            await self._store.remember(_FIRST_FACT, self._fingerprint)
            await self._store.remember(ALARM_FACT, None)
            return fresh.access_token

    async def _refresh_token(self, pair: TokenPair | None) -> str:
        """The stored one, or the setting's where staff put a new one in after the old chain had broken."""
        known = await self._store.recall(_FIRST_FACT)
        replaced = known is not None and known != self._fingerprint
        return self._first if pair is None or (replaced and self._first) else pair.refresh_token

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(self._first.encode()).hexdigest()[:16]

    async def _exchange(self, refresh_token: str) -> TokenPair:
        if not refresh_token:
            raise NotDelivered(SendFailure.ACCOUNT_STOPPED, "no refresh token", code="refresh_used")
        form = {"refresh_token": refresh_token, "app_id": self._app_id, "grant_type": "refresh_token"}
        try:
            response = await self._client.post(self._url, data=form, headers={"secret_key": self._app_secret})
            answer = response.json()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotDelivered(SendFailure.TEMPORARY, type(error).__name__, code="oauth") from None
        except (httpx.HTTPError, ValueError) as error:
            # The single-use token may be spent; asking again could burn the answer that is on its way.
            raise OutcomeUnknown(type(error).__name__, code="oauth") from None
        access = answer.get("access_token") if isinstance(answer, dict) else None
        if not access:
            name = str(answer.get("error_name", "")) if isinstance(answer, dict) else ""
            raise NotDelivered(
                SendFailure.ACCOUNT_STOPPED, f"refresh refused: {name}"[:200], code="refresh_used"
            )
        life = timedelta(seconds=int(answer.get("expires_in", 90_000)))
        return TokenPair(str(access), str(answer["refresh_token"]), datetime.now(UTC) + life)

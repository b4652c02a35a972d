"""Rotating OA tokens against the strict fake: one refresh at a time, durable before use, renewed ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.channels.zalo_oa_tokens import ZaloOATokens
from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.world import Platform
from bot.tokens import DatabaseTokenStore
from bot.upkeep import TokenUpkeep
from core.outbox.port import ChannelName, NotDelivered, SendFailure, TokenPair
from storage.database import Database


@pytest.fixture
async def fakes() -> AsyncIterator[RunningFakes]:
    async with running_fakes() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5, trust_env=False, verify=False) as http:
        yield http


def store_of(database: Database, fakes: RunningFakes, holder: str) -> DatabaseTokenStore:
    return DatabaseTokenStore(
        database, channel=ChannelName.ZALO_OA, account_id=fakes.zalo_oa.oa_id, holder=holder
    )


def tokens_of(
    database: Database, fakes: RunningFakes, client: httpx.AsyncClient, holder: str = "one"
) -> ZaloOATokens:
    """The tokens as one process sees them."""
    return ZaloOATokens(
        client,
        store_of(database, fakes, holder),
        oauth_base_url=fakes.urls[Platform.ZALO_OA],
        app_id=fakes.zalo_oa.app_id,
        app_secret=fakes.zalo_oa.app_secret,
        first_refresh_token=fakes.zalo_oa.tokens.refresh_token,
    )


async def accepted(fakes: RunningFakes, client: httpx.AsyncClient, token: str) -> bool:
    url = f"{fakes.urls[Platform.ZALO_OA]}/v2.0/oa/getoa"
    answer = (await client.get(url, headers={"access_token": token})).json()
    return bool(answer["error"] == 0)


async def test_the_first_token_is_fetched_and_durable(
    database: Database, fakes: RunningFakes, client: httpx.AsyncClient
) -> None:
    token = await tokens_of(database, fakes, client).access_token()
    assert await accepted(fakes, client, token)
    kept = await store_of(database, fakes, "another process").load()
    assert kept is not None
    assert kept.access_token == token


async def test_many_processes_spend_one_refresh_token_once(
    database: Database, fakes: RunningFakes, client: httpx.AsyncClient
) -> None:
    everybody = [tokens_of(database, fakes, client, holder=f"process {n}") for n in range(4)]
    got = await asyncio.gather(*(tokens.access_token() for tokens in everybody))
    assert len(set(got)) == 1
    refreshed = await asyncio.gather(*(tokens.refresh(refused=got[0]) for tokens in everybody))
    assert len(set(refreshed)) == 1
    assert refreshed[0] != got[0]
    assert await accepted(fakes, client, refreshed[0])


@pytest.mark.parametrize(("left_h", "renewed"), [(20, False), (11, True), (-1, True)])
async def test_tokens_are_renewed_at_half_of_their_life(
    database: Database, fakes: RunningFakes, client: httpx.AsyncClient, left_h: int, renewed: bool
) -> None:
    tokens = tokens_of(database, fakes, client)
    await tokens.access_token()
    store = store_of(database, fakes, "one")
    pair = await store.load()
    assert pair is not None
    until = datetime.now(UTC) + timedelta(hours=left_h)
    await store.save(TokenPair(pair.access_token, pair.refresh_token, until))

    assert await tokens.refresh_if_due() is renewed
    after = await store.load()
    assert after is not None
    assert (after.access_token != pair.access_token) is renewed


async def test_a_used_up_refresh_token_needs_a_person(
    database: Database, fakes: RunningFakes, client: httpx.AsyncClient
) -> None:
    tokens, secret = tokens_of(database, fakes, client), fakes.zalo_oa.tokens.refresh_token
    fakes.zalo_oa.tokens.revoke()
    with pytest.raises(NotDelivered) as refused:
        await tokens.access_token()
    assert refused.value.failure is SendFailure.ACCOUNT_STOPPED
    assert secret not in str(refused.value)


async def test_upkeep_goes_on_after_a_refusal() -> None:
    class Refusing:
        calls = 0

        async def refresh_if_due(self) -> bool:
            self.calls += 1
            if self.calls == 1:
                raise NotDelivered(SendFailure.ACCOUNT_STOPPED, "refused", code="refresh_used")
            return True

    tokens = Refusing()
    loop = asyncio.create_task(TokenUpkeep(tokens, account="oa", every_s=0.01).run())
    async with asyncio.timeout(5):
        while tokens.calls < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    loop.cancel()

"""The fake OA's OAuth: rotation, single use, errors that come as HTTP 200, and what dead tokens meet."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.world import ManualClock, Platform, World
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake, ZaloOARules
from bot.rehearsal.fakes.zalo_oa_tokens import challenge_of


async def _token(
    client: httpx.AsyncClient, fakes: RunningFakes, *, secret: str | None = None, **form: str
) -> dict[str, Any]:
    oa = fakes.zalo_oa
    answer = await client.post(
        f"{fakes.urls[Platform.ZALO_OA]}/v4/oa/access_token",
        data={"app_id": oa.app_id, **form},
        headers={"secret_key": oa.app_secret if secret is None else secret},
    )
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


async def _refresh(client: httpx.AsyncClient, fakes: RunningFakes, token: str) -> dict[str, Any]:
    return await _token(client, fakes, grant_type="refresh_token", refresh_token=token)


async def _get_oa(client: httpx.AsyncClient, fakes: RunningFakes, token: str, **headers: str) -> Any:
    url = f"{fakes.urls[Platform.ZALO_OA]}/v2.0/oa/getoa"
    return (await client.get(url, headers={"access_token": token, **headers})).json()


async def test_refreshing_gives_a_new_pair_for_25_hours(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    first = fakes.zalo_oa.tokens.refresh_token
    pair = await _refresh(client, fakes, first)
    assert pair["expires_in"] == "90000"
    assert pair["refresh_token"] != first
    assert (await _get_oa(client, fakes, pair["access_token"]))["data"]["oa_id"] == fakes.zalo_oa.oa_id


async def test_a_refresh_token_is_burnt_by_its_first_use(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    first = fakes.zalo_oa.tokens.refresh_token
    pair = await _refresh(client, fakes, first)
    again = await _refresh(client, fakes, first)
    assert "access_token" not in again
    assert again["error"] < 0
    assert {"error_name", "error_reason", "error_description", "ref_doc", "error"} == again.keys()
    assert fakes.zalo_oa.tokens.refresh_reused == 1
    assert "access_token" in await _refresh(client, fakes, pair["refresh_token"])


async def test_the_old_access_token_dies_with_the_new_one(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    old = await _refresh(client, fakes, fakes.zalo_oa.tokens.refresh_token)
    new = await _refresh(client, fakes, old["refresh_token"])
    assert (await _get_oa(client, fakes, old["access_token"]))["error"] == -220
    assert (await _get_oa(client, fakes, new["access_token"]))["error"] == 0


async def test_unknown_missing_and_query_tokens_are_216(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    pair = await _refresh(client, fakes, fakes.zalo_oa.tokens.refresh_token)
    url = f"{fakes.urls[Platform.ZALO_OA]}/v2.0/oa/getoa"
    answers = [
        await client.get(url),
        await client.get(url, headers={"access_token": "made-up"}),
        await client.get(url, params={"access_token": pair["access_token"]}),
        await client.get(url, headers={"authorization": f"Bearer {pair['access_token']}"}),
    ]
    assert [(a.status_code, a.json()["error"]) for a in answers] == [(200, -216)] * 4


async def test_access_expires_after_25_hours_and_refresh_after_90_days(
    client: httpx.AsyncClient, fakes: RunningFakes, clock: ManualClock
) -> None:
    pair = await _refresh(client, fakes, fakes.zalo_oa.tokens.refresh_token)
    clock.advance(hours=24, minutes=59)
    assert (await _get_oa(client, fakes, pair["access_token"]))["error"] == 0
    clock.advance(minutes=1)
    assert (await _get_oa(client, fakes, pair["access_token"]))["error"] == -220
    clock.advance(days=89)
    assert "error" in await _refresh(client, fakes, pair["refresh_token"])


async def test_wrong_app_secret_and_grant_type_are_errors_in_200(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    token = fakes.zalo_oa.tokens.refresh_token
    wrong = await _token(client, fakes, secret="x", grant_type="refresh_token", refresh_token=token)
    assert wrong["error"] == -14002
    assert "error_name" in await _token(client, fakes, grant_type="password")
    assert "access_token" in await _refresh(client, fakes, token)


async def test_a_revoked_grant_ends_both_tokens(client: httpx.AsyncClient, fakes: RunningFakes) -> None:
    pair = await _refresh(client, fakes, fakes.zalo_oa.tokens.refresh_token)
    fakes.zalo_oa.tokens.revoke()
    assert (await _get_oa(client, fakes, pair["access_token"]))["error"] == -220
    assert "error" in await _refresh(client, fakes, pair["refresh_token"])


async def test_the_code_flow_checks_pkce_and_takes_a_code_once(
    client: httpx.AsyncClient, fakes: RunningFakes, clock: ManualClock
) -> None:
    verifier = "v" * 43

    async def code(**more: str) -> httpx.Response:
        query = {
            "app_id": fakes.zalo_oa.app_id,
            "redirect_uri": "https://xa.vn/zalo",
            "code_challenge": challenge_of(verifier),
            "state": "s1",
        }
        base = fakes.urls[Platform.ZALO_OA]
        return await client.get(f"{base}/v4/oa/permission", params={**query, **more})

    redirect = await code()
    back = parse_qs(urlsplit(redirect.headers["location"]).query)
    assert (redirect.status_code, back["oa_id"], back["state"]) == (302, [fakes.zalo_oa.oa_id], ["s1"])
    grant = {"grant_type": "authorization_code", "code": back["code"][0]}
    assert "access_token" in await _token(client, fakes, **grant, code_verifier=verifier)
    assert "error" in await _token(client, fakes, **grant, code_verifier=verifier)
    wrong = {**grant, "code": fakes.zalo_oa.tokens.grant(code_challenge=challenge_of(verifier))}
    assert "error" in await _token(client, fakes, **wrong, code_verifier="another")
    late = {**grant, "code": fakes.zalo_oa.tokens.grant(code_challenge="")}
    clock.advance(minutes=10, seconds=1)
    assert "error" in await _token(client, fakes, **late)
    assert (await code(redirect_uri="https://xa.vn/zalo?a=1")).json()["error"] == -14003


async def test_appsecret_proof_can_be_demanded(client: httpx.AsyncClient, world: World) -> None:
    strict = ZaloOAFake(world, rules=ZaloOARules(require_appsecret_proof=True))
    async with running_fakes(world=world, zalo_oa=strict) as fakes:
        pair = await _refresh(client, fakes, strict.tokens.refresh_token)
        token = pair["access_token"]
        proof = hmac.new(strict.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        assert (await _get_oa(client, fakes, token))["error"] == -242
        assert (await _get_oa(client, fakes, token, appsecret_proof=proof))["error"] == 0


@pytest.mark.parametrize("path", ["/v3.0/oa/message/promotion", "/v3.0/oa/message/transaction", "/nothing"])
async def test_closed_and_unknown_addresses_are_404(
    client: httpx.AsyncClient, fakes: RunningFakes, path: str
) -> None:
    assert (await client.post(fakes.urls[Platform.ZALO_OA] + path, json={})).status_code == 404

"""Trouble on purpose: scripted fates, the flaky mode, latency, and the record as the ground truth."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from typing import Any

import httpx
import pytest
from telegram import Bot
from telegram.error import Forbidden, NetworkError, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

from bot.rehearsal.fakes.faults import FaultMode, FaultPlan, FlakyRates, Lane, Outcome, OutcomeKind
from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.telegram import TelegramFake, TelegramRules
from bot.rehearsal.fakes.telegram_phone import TelegramPhone
from bot.rehearsal.fakes.world import Happening, Platform, World
from bot.rehearsal.fakes.zalo_bot import ZaloBotFake
from bot.rehearsal.fakes.zalo_oa import ZaloOAFake


@pytest.fixture
def lan(fakes: RunningFakes) -> TelegramPhone:
    phone = fakes.telegram.add_person("Lan")
    phone.follow()
    return phone


async def _send(client: httpx.AsyncClient, fakes: RunningFakes, phone: TelegramPhone) -> httpx.Response:
    url = f"{fakes.urls[Platform.TELEGRAM]}/bot{fakes.telegram.token}/sendMessage"
    return await client.post(url, json={"chat_id": phone.chat_id, "text": "a"})


async def test_scripted_fates_meet_the_next_sends_in_order(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    plan = fakes.telegram.faults
    plan.script(
        Outcome.rate_limited(7),
        Outcome.forbidden(),
        Outcome.server_error(503),
        Outcome.normal(),
        Outcome.garbage(delivered=False),
    )
    answers = [await _send(client, fakes, lan) for _ in range(5)]
    assert [a.status_code for a in answers] == [429, 403, 503, 200, 200]
    assert answers[0].json()["parameters"]["retry_after"] == 7
    with pytest.raises(ValueError, match=r"JSON|decode"):
        answers[4].json()
    assert len(lan.screen) == 1
    assert plan.scripted_left() == 0
    assert fakes.telegram.violations() == {}
    calls = [
        e for e in fakes.world.record.of_chat(Platform.TELEGRAM, lan.chat_id) if e.kind is Happening.CALL
    ]
    assert [(e.what, e.code, e.detail) for e in calls] == [
        ("sendMessage", 429, "rate_limited"),
        ("sendMessage", 403, "refused"),
        ("sendMessage", 503, "server_error"),
        ("sendMessage", 0, "normal"),
        ("sendMessage", 0, "garbage"),
    ]


@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize("make", [Outcome.timeout, Outcome.cut, Outcome.garbage])
async def test_an_unknown_send_is_on_the_phone_or_not_and_the_record_knows(
    fakes: RunningFakes, lan: TelegramPhone, make: Any, delivered: bool
) -> None:
    fakes.telegram.faults.script(make(delivered=delivered))
    async with httpx.AsyncClient(timeout=0.1) as impatient:
        try:
            answer = await _send(impatient, fakes, lan)
        except (httpx.ReadTimeout, httpx.RemoteProtocolError):
            pass
        else:
            assert b"message_id" not in answer.content
    assert [shown.answered for shown in lan.screen] == [False] * delivered
    assert fakes.world.record.total(Happening.SHOWN) == int(delivered)


async def test_ptb_translates_the_scripted_fates(fakes: RunningFakes, lan: TelegramPhone) -> None:
    base = f"{fakes.urls[Platform.TELEGRAM]}/bot"
    bot = Bot(fakes.telegram.token, base_url=base, request=HTTPXRequest(read_timeout=0.1))
    async with bot:
        for outcome, error in (
            (Outcome.rate_limited(3), RetryAfter),
            (Outcome.forbidden(), Forbidden),
            (Outcome.timeout(delivered=True), TimedOut),
            (Outcome.server_error(502), NetworkError),
            (Outcome.cut(delivered=False), NetworkError),
        ):
            fakes.telegram.faults.script(outcome)
            with pytest.raises(error):
                await bot.send_message(int(lan.chat_id), "a")


async def test_a_script_can_wait_for_one_chat_or_one_lane(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    minh = fakes.telegram.add_person("Minh")
    minh.follow()
    fakes.telegram.faults.script(Outcome.forbidden(), chat_id=minh.chat_id)
    fakes.telegram.faults.script(Outcome.server_error(500), lane=Lane.CALL)
    assert (await _send(client, fakes, lan)).status_code == 200
    assert (await _send(client, fakes, minh)).status_code == 403
    get_me = f"{fakes.urls[Platform.TELEGRAM]}/bot{fakes.telegram.token}/getMe"
    assert [(await client.get(get_me)).status_code for _ in range(2)] == [500, 200]


async def test_a_delivered_fate_still_obeys_the_platform(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    lan.block()
    fakes.telegram.faults.script(Outcome.server_error(502, delivered=True))
    assert (await _send(client, fakes, lan)).status_code == 502
    assert lan.screen == []


async def test_slow_answers_and_latency_delay_the_answer_not_the_deed(
    client: httpx.AsyncClient, fakes: RunningFakes, lan: TelegramPhone
) -> None:
    fakes.telegram.faults.script(Outcome.slow(0.08))
    fakes.telegram.latency_s = 0.04
    begun = time.perf_counter()
    send = asyncio.create_task(_send(client, fakes, lan))
    await lan.next_message(timeout_s=1)
    assert not send.done()
    assert (await send).status_code == 200
    assert time.perf_counter() - begun >= 0.12


async def test_zalo_speaks_its_own_words_when_scripted(
    client: httpx.AsyncClient, fakes: RunningFakes
) -> None:
    oa, zalo_bot = fakes.zalo_oa, fakes.zalo_bot
    oa.faults.script(Outcome.rate_limited(), Outcome.refused(-200, "Send failed", delivered=True))
    base = fakes.urls[Platform.ZALO_OA]
    form = {"app_id": oa.app_id, "grant_type": "refresh_token", "refresh_token": oa.tokens.refresh_token}
    pair = await client.post(f"{base}/v4/oa/access_token", data=form, headers={"secret_key": oa.app_secret})
    lan = oa.add_person("Lan")
    lan.follow()
    answers = [
        await client.post(
            f"{base}/v3.0/oa/message/cs",
            json={"recipient": {"user_id": lan.chat_id}, "message": {"text": "a"}},
            headers={"access_token": pair.json()["access_token"]},
        )
        for _ in range(2)
    ]
    assert [(a.status_code, a.json()["error"]) for a in answers] == [(200, -32), (200, -200)]
    assert [shown.answered for shown in lan.screen] == [False]
    zalo_bot.faults.script(Outcome.rate_limited())
    url = f"{fakes.urls[Platform.ZALO_BOT]}/bot{zalo_bot.token}/sendMessage"
    answer = await client.post(url, json={"chat_id": "x", "text": "a"})
    assert answer.json() == {"ok": False, "description": "Quota exceeded", "error_code": 429}


def _fates(plan: FaultPlan, number: int, lane: Lane = Lane.SEND) -> list[Outcome | None]:
    return [plan.decide(lane) for _ in range(number)]


def test_flaky_is_the_same_for_the_same_seed_and_near_its_rates() -> None:
    fates = _fates(FaultPlan(FaultMode.FLAKY, seed=4), 20_000)
    assert fates == _fates(FaultPlan(FaultMode.FLAKY, seed=4), 20_000)
    assert fates != _fates(FaultPlan(FaultMode.FLAKY, seed=5), 20_000)
    kinds = Counter(fate.kind for fate in fates if fate)
    assert kinds[OutcomeKind.SERVER_ERROR] / 20_000 == pytest.approx(0.05, abs=0.005)
    assert kinds[OutcomeKind.TIMEOUT] / 20_000 == pytest.approx(0.02, abs=0.004)
    assert kinds[OutcomeKind.RATE_LIMITED] / 20_000 == pytest.approx(0.01, abs=0.003)
    delivered = sum(fate.delivered for fate in fates if fate and fate.kind is OutcomeKind.TIMEOUT)
    assert delivered / kinds[OutcomeKind.TIMEOUT] == pytest.approx(0.5, abs=0.1)


def test_flaky_gives_other_lanes_nothing_that_loses_for_ever() -> None:
    for lane in (Lane.CALL, Lane.POLL, Lane.OAUTH, Lane.FILE):
        fates = [fate for fate in _fates(FaultPlan(FaultMode.FLAKY), 2000, lane) if fate]
        assert {(fate.kind, fate.delivered) for fate in fates} == {(OutcomeKind.SERVER_ERROR, False)}


def test_a_zalo_bot_meets_no_made_up_quota(world: World) -> None:
    fake = ZaloBotFake(world, faults=FaultPlan(FaultMode.FLAKY, rates=FlakyRates(rate_limited=0.5)))
    kinds = {fate.kind for fate in _fates(fake.faults, 2000) if fate}
    assert OutcomeKind.RATE_LIMITED not in kinds


async def test_flaky_webhooks_repeat_and_reorder_between_people_only(world: World, receiver: Any) -> None:
    rates = FlakyRates(webhook_duplicate=0.3, webhook_late=0.4, late_s=0.05)
    oa = ZaloOAFake(world, faults=FaultPlan(FaultMode.FLAKY, seed=1, rates=rates))
    oa.set_webhook(receiver.url)
    async with running_fakes(world=world, zalo_oa=oa) as fakes:
        people = [oa.add_person(f"Người {number}") for number in range(12)]
        for turn in range(4):
            for person in people:
                person.write(str(turn))
        assert await fakes.settled(timeout_s=2)
    copies: Counter[bytes] = Counter()
    first_seen: defaultdict[str, list[str]] = defaultdict(list)
    arrivals: list[str] = []
    for request in receiver.requests:
        copies[request.body] += 1
        event = request.event
        if copies[request.body] == 1:
            first_seen[event["sender"]["id"]].append(event["message"]["text"])
            arrivals.append(event["timestamp"])
    assert len(copies) == 48
    assert max(copies.values()) == 2
    assert len(receiver.requests) > 48
    assert set(map(tuple, first_seen.values())) == {("0", "1", "2", "3")}
    assert arrivals != sorted(arrivals)


async def test_flaky_sends_agree_with_the_record(world: World) -> None:
    plan = FaultPlan(FaultMode.FLAKY, seed=2, rates=FlakyRates(0.2, 0.1, 0.1))
    rules = TelegramRules(rate_per_s=10_000, chat_burst=10_000)
    telegram = TelegramFake(world, rules=rules, faults=plan)
    async with running_fakes(world=world, telegram=telegram) as fakes:
        lan = telegram.add_person("Lan")
        lan.follow()
        outcomes: Counter[str] = Counter()

        async with httpx.AsyncClient(timeout=0.3) as client:

            async def once() -> None:
                try:
                    outcomes[str((await _send(client, fakes, lan)).status_code)] += 1
                except httpx.ReadTimeout:
                    outcomes["unknown"] += 1

            await asyncio.gather(*(once() for _ in range(80)))
        shown_unknown = sum(not shown.answered for shown in lan.screen)
        assert len(lan.screen) - shown_unknown == outcomes["200"]
        assert 0 < shown_unknown < outcomes["unknown"]
        assert outcomes["429"] > 0
        assert outcomes["502"] + outcomes["503"] > 0
        assert sum(outcomes.values()) == 80

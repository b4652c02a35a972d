"""The OA against the strict fake: approved templates, the endpoint that serves it, alarms that say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from bot.alarms import AlarmLoop
from bot.channels.zalo_oa import ZaloOAChannel
from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from bot.rehearsal.fakes.world import Happening, ManualClock, Platform, World
from bot.rehearsal.fakes.zalo_oa import ZaloOARules
from bot.tokens import DatabaseTokenStore
from core.outbox import alarms
from core.outbox.port import Channel, ChannelName, NotDelivered, Outgoing, SendFailure
from storage.database import Database
from storage.models import Outbound

TEMPLATE = "Mời ông/bà dự {title} lúc {when}."


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def fakes(clock: ManualClock) -> AsyncIterator[RunningFakes]:
    async with running_fakes(world=World(clock=clock)) as running:
        yield running


@asynccontextmanager
async def channel_of(
    database: Database, fakes: RunningFakes, *, first: str | None = None, template_id: str = ""
) -> AsyncIterator[ZaloOAChannel]:
    """The OA as one start of a program sees it."""
    oa = fakes.zalo_oa
    channel = ZaloOAChannel(
        app_id=oa.app_id,
        app_secret=oa.app_secret,
        oa_secret_key=oa.oa_secret_key,
        oa_id=oa.oa_id,
        base_url=fakes.urls[Platform.ZALO_OA],
        oauth_base_url=fakes.urls[Platform.ZALO_OA],
        store=DatabaseTokenStore(database, channel=ChannelName.ZALO_OA, account_id=oa.oa_id, holder="test"),
        first_refresh_token=first if first is not None else oa.tokens.refresh_token,
        messages_per_minute=2000,
        template_id=template_id,
    )
    try:
        yield channel
    finally:
        await channel.close()


def message_to(chat_id: str, **more: object) -> Outgoing:
    return Outgoing(delivery_id=1, recipient_id=chat_id, text="Chào ông/bà", **more)  # type: ignore[arg-type]


async def test_a_template_reaches_somebody_outside_every_window(
    database: Database, fakes: RunningFakes, clock: ManualClock
) -> None:
    template = fakes.zalo_oa.add_template("5501", TEMPLATE)
    phone = fakes.zalo_oa.add_person("Lan")
    phone.follow()
    clock.advance(days=8)
    data = {"title": "Đối thoại quý IV", "when": "7 giờ 30 ngày 05/12/2026"}
    async with channel_of(database, fakes, template_id=template.template_id) as channel:
        with pytest.raises(NotDelivered) as closed:
            await channel.send(message_to(phone.chat_id))
        assert closed.value.failure is SendFailure.WINDOW_CLOSED
        await channel.send(message_to(phone.chat_id, template_data=data))
        with pytest.raises(NotDelivered) as wrong:
            await channel.send(message_to(phone.chat_id, template_data={"title": "thiếu giờ"}))
        assert wrong.value.failure is SendFailure.REJECTED
    assert phone.screen[-1].text == "Mời ông/bà dự Đối thoại quý IV lúc 7 giờ 30 ngày 05/12/2026."


async def test_an_account_of_the_state_is_probed_once_and_remembered(
    database: Database, fakes: RunningFakes
) -> None:
    fakes.zalo_oa.rules = ZaloOARules(oa_type=4, v3_refused=True)
    phone = fakes.zalo_oa.add_person("Lan")
    phone.follow()
    async with channel_of(database, fakes) as channel:
        await channel.send(message_to(phone.chat_id))
    first = _paths(fakes)
    async with channel_of(database, fakes) as channel:
        await channel.send(message_to(phone.chat_id))
    assert first == ["/v3.0/oa/message/cs", "/v2.0/oa/message"]
    assert _paths(fakes)[2:] == ["/v2.0/oa/message"]


def _paths(fakes: RunningFakes) -> list[str]:
    return [
        entry.what
        for entry in fakes.world.record.entries
        if entry.kind is Happening.CALL and "/message" in entry.what
    ]


async def test_a_broken_chain_of_tokens_alarms_the_office_until_a_new_one_is_in_the_settings(
    database: Database, fakes: RunningFakes
) -> None:
    phone = fakes.zalo_oa.add_person("Lan")
    phone.follow()
    old = fakes.zalo_oa.tokens.refresh_token
    async with channel_of(database, fakes) as channel:
        await channel.send(message_to(phone.chat_id))
        fakes.zalo_oa.tokens.revoke()
        with pytest.raises(NotDelivered) as stopped:
            await channel.send(message_to(phone.chat_id))
    assert stopped.value.failure is SendFailure.ACCOUNT_STOPPED
    with database.read() as session:
        (alarm,) = alarms.open_alarms(session)
    assert "NGHEDAN_ZALO_OA_REFRESH_TOKEN" in alarm.text
    assert "Zalo OA" in alarm.text

    told = _told(database, channel)
    assert len(told) == 1
    assert len(_told(database, channel)) == 1  # once
    new = _agreed_again(fakes)
    assert new != old
    async with channel_of(database, fakes, first=new) as channel:
        await channel.send(message_to(phone.chat_id))
    with database.read() as session:
        assert alarms.open_alarms(session) == []
    assert "trở lại" in _told(database, channel)[-1]


def _agreed_again(fakes: RunningFakes) -> str:
    """The OA's admin agrees once more and hands over a new refresh token."""
    oa = fakes.zalo_oa
    code = oa.tokens.grant(code_challenge="")
    form = {"app_id": oa.app_id, "grant_type": "authorization_code", "code": code}
    oa.tokens.exchange(form, secret_key=oa.app_secret)
    return oa.tokens.refresh_token


def _told(database: Database, channel: Channel) -> list[str]:
    """Everything that the office's chat was told, after one more round."""
    channels = {ChannelName.ZALO_OA: channel}
    AlarmLoop(database, channels, chat="zalo_oa:nhom-van-phong", queued=lambda: None).sweep()
    with database.read() as session:
        return list(session.scalars(select(Outbound.text).order_by(Outbound.id)))

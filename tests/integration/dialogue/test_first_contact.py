"""First contact: who we are, consent with two equal choices, the commune, and what arrived before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.intake import receive
from core.outbox.port import ChannelName, Incoming, IncomingKind
from storage.models import Inbound
from tests.factories.conversation import Talk

pytestmark = pytest.mark.slow

MATTER = "Cầu treo đầu bản mục nát đã hai năm, đề nghị làm lại để các cháu đi học"


def test_the_welcome_says_who_it_is_and_offers_two_equal_choices(newcomer: Talk) -> None:
    welcome = newcomer.say("xin chao")

    assert "tự động" in welcome
    assert "QUYỀN" in welcome
    assert welcome.index("1. Tôi đồng ý") < welcome.index("2. Tôi không đồng ý")


@pytest.mark.parametrize("yes", ["1", "đồng ý", "dong y", "Tôi đồng ý", "ĐỒNG Ý Ạ", "ok"])
def test_consent_is_given_by_number_or_words(new_person: Callable[[], Talk], yes: str) -> None:
    person = new_person()
    person.say("chào")
    assert "xã, phường" in person.say(yes)


def test_refusal_erases_what_was_written_before_it(newcomer: Talk) -> None:
    newcomer.say(MATTER)
    answer = newcomer.say("2")

    assert "không lưu gì cả" in answer
    with newcomer.database.read() as session:
        kept = session.scalars(select(Inbound.text).where(Inbound.sender_id == newcomer.person)).all()
    assert not any(MATTER in (text or "") for text in kept)


def test_after_a_refusal_people_may_change_their_mind(newcomer: Talk) -> None:
    newcomer.say("chào")
    newcomer.say("không đồng ý")
    assert "1. Tôi đồng ý" in newcomer.say(MATTER)
    newcomer.say("1")
    assert MATTER in newcomer.say("bat xat")


def test_what_is_neither_yes_nor_no_is_asked_again_and_held(newcomer: Talk) -> None:
    newcomer.say(MATTER)
    assert "có đồng ý" in newcomer.say("đường xuống bến đò cũng sạt")
    newcomer.say("dong y")
    confirmation = newcomer.say("xã Bát Xát")
    assert MATTER in confirmation
    assert "bến đò" in confirmation


def test_a_question_before_consent_is_answered(newcomer: Talk) -> None:
    newcomer.say("chào")
    assert "Đối thoại quý IV" in newcomer.say("bao giờ có buổi đối thoại?")


@pytest.mark.parametrize("typed", ["Bát Xát", "bat xat", "xã bát xát", "XA BAT XAT", "Bát Xát"])
def test_the_commune_is_understood_in_any_spelling(new_person: Callable[[], Talk], typed: str) -> None:
    person = new_person()
    person.say("chào")
    person.say("1")
    assert "Xã Bát Xát" in person.say(typed)


def test_an_unknown_commune_is_asked_again_with_an_example(newcomer: Talk) -> None:
    newcomer.say("chào")
    newcomer.say("1")
    assert "chưa tìm thấy" in newcomer.say("qwerty zxcv")
    assert "Xã Bắc Hà" in newcomer.say("bac ha")


def test_a_repeated_platform_message_is_answered_once(newcomer: Talk) -> None:
    newcomer.say("chào")
    with newcomer.database.read() as session:
        first = session.scalars(select(Inbound).where(Inbound.sender_id == newcomer.person)).one()
        again = Incoming(
            channel=ChannelName(first.channel),
            account_id=first.account_id,
            external_id=first.external_id,
            kind=IncomingKind(first.kind),
            sender_id=first.sender_id,
            occurred_at=first.occurred_at,
            text="chào",
        )
    heard = len(newcomer.heard)
    with newcomer.database.write() as session:
        receive.store(session, [again], now=again.occurred_at)
    newcomer.answer(again.occurred_at)
    assert len(newcomer.heard) == heard

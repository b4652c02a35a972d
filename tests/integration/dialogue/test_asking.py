"""Everything around concerns: sessions, announcements, help, people, data rights, small talk, misses."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from storage.models import Concern, Contact, Inbound, StaffRequest
from tests.factories.conversation import Talk
from tests.integration.dialogue.test_telling import told

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "typed", ["LỊCH", "lich doi thoai", "khi nào xã họp dân thế", "hạn gửi ý kiến đến bao giờ?"]
)
def test_sessions_with_their_deadline(known: Talk, typed: str) -> None:
    answer = known.say(typed)
    assert "Đối thoại quý IV" in answer
    assert "Nhận ý kiến đến hết" in answer


def test_subscribe_and_stop(known: Talk) -> None:
    assert "NGỪNG" in known.say("đăng ký nhận thông báo")
    assert "rồi" in known.say("dang ky")
    assert "không gửi thông báo nữa" in known.say("NGỪNG")
    assert "không đăng ký" in known.say("ngung")


@pytest.mark.parametrize("typed", ["gặp cán bộ", "GAP CAN BO", "cho tôi nói chuyện với người thật"])
def test_a_person_is_called(known: Talk, typed: str) -> None:
    assert "cán bộ" in known.say(typed)
    with known.database.read() as session:
        asked = session.scalars(
            select(StaffRequest).join(Contact).where(Contact.external_id == known.person)
        ).all()
    assert len(asked) == 1


def test_two_misses_in_a_row_go_to_staff(known: Talk) -> None:
    assert "1. " in known.say("blah xyz qqq")
    assert "cán bộ" in known.say("blah qqq xyz")


def test_one_miss_and_then_a_hit_does_not_call_anybody(known: Talk) -> None:
    known.say("blah xyz qqq")
    known.say("LỊCH")
    assert "chuyển tin" not in known.say("blah qqq xyz")


def test_data_rights_and_erasure(known: Talk) -> None:
    code = told(known)
    assert "1 ý kiến đã gửi" in known.say("QUYỀN")
    assert "không lấy lại được" in known.say("XÓA")
    assert "đã xóa" in known.say("đúng, xóa hết")
    with known.database.read() as session:
        concern = session.scalars(select(Concern).where(Concern.code == code)).one_or_none()
        left = session.scalars(
            select(Inbound.text).where(Inbound.sender_id == known.person, Inbound.text.is_not(None))
        ).all()
    assert concern is None or "Na Rin" not in concern.text
    assert not left


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("xin chào", "Kính chào"),
        ("cảm ơn nhé", "không có gì"),
        ("cam on ban nhieu", "không có gì"),
        ("tạm biệt", "kính chào"),
        ("hướng dẫn", "TRẠNG THÁI"),
        ("hôm nay trời đẹp nhỉ, ăn cơm chưa", "kênh"),
    ],
)
def test_small_talk(known: Talk, typed: str, expected: str) -> None:
    assert expected.lower() in known.say(typed).lower()


def test_abuse_is_met_with_patience(known: Talk) -> None:
    answer = known.say("đồ ngu, lũ chúng mày vô dụng")
    assert "bức xúc" in answer
    assert "ngu" not in answer.replace("người", "").replace("nguồn", "")

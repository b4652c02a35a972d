"""Telling a concern: straight away, in pieces, with pictures, interrupted, changed, taken back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.outbox.port import IncomingAttachment, IncomingKind
from storage.models import Attachment, Concern, Inbound
from tests.factories.conversation import Talk

pytestmark = pytest.mark.slow

CODE = re.compile(r"LC-\d{2}-\d{5}")
MATTER = "Đường vào thôn Na Rin sạt lở mỗi khi mưa, xe tải không vào được, đề nghị làm kè"


def told(person: Talk, text: str = MATTER) -> str:
    """Tell a concern of a known person in two messages; returns its code."""
    person.say(text)
    found = CODE.search(person.say("1"))
    assert found
    return found.group()


def stored(person: Talk, code: str) -> Concern:
    """The concern as it stands."""
    with person.database.read() as session:
        return session.scalars(select(Concern).where(Concern.code == code)).one()


@pytest.mark.parametrize(
    "typed",
    [
        MATTER,
        "duong vao thon Na Rin sat lo moi khi mua, xe tai khong vao duoc, de nghi lam ke",
        "Dạ cho tôi phản ánh: nước sinh hoạt ở bản yếu quá, cả tuần chỉ có hai buổi sáng",
        "rac do day bai chua thon toi khong ai thu gom mui hoi thoi kinh khung",
    ],
)
def test_typing_the_matter_and_a_yes_is_enough(known: Talk, typed: str) -> None:
    confirmation = known.say(typed)
    assert typed[:40] in confirmation
    assert "1. Đúng" in confirmation
    code = CODE.search(known.say("đúng rồi"))
    assert code
    assert stored(known, code.group()).text == typed


def test_several_messages_in_a_row_become_one_concern(known: Talk) -> None:
    known.say("Trạm bơm đầu cánh đồng hỏng từ tháng ba")
    known.say("lúa của cả thôn cháy hết vì không có nước")
    confirmation = known.say("đề nghị xã cho thợ sửa ngay")
    assert "Trạm bơm" in confirmation
    assert "thợ sửa" in confirmation
    code = CODE.search(known.say("ok"))
    assert code
    text = stored(known, code.group()).text
    assert all(part in text for part in ("Trạm bơm", "lúa của cả thôn", "thợ sửa"))


def test_photo_voice_file_and_location_are_kept_with_the_concern(known: Talk) -> None:
    known.say(MATTER)
    for kind in (IncomingKind.PHOTO, IncomingKind.VOICE, IncomingKind.FILE, IncomingKind.LOCATION):
        known.send(
            kind,
            attachments=(IncomingAttachment(kind, file_ref=f"ref-{kind}", latitude=22.4, longitude=103.9),),
        )
    answer = known.say("đúng")
    code = CODE.search(answer)
    assert code
    with known.database.read() as session:
        kinds = session.scalars(
            select(Attachment.kind)
            .join(Concern, Concern.id == Attachment.concern_id)
            .where(Concern.code == code.group())
        ).all()
    assert sorted(kinds) == ["file", "location", "photo", "voice"]


def test_a_picture_first_waits_for_its_words(known: Talk) -> None:
    photo = (IncomingAttachment(IncomingKind.PHOTO, file_ref="p1"),)
    assert "viết vài câu" in known.send(IncomingKind.PHOTO, attachments=photo)
    assert "Kèm theo" in known.say(MATTER)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("bao giờ có phiên đối thoại?", "Đối thoại quý IV"),
        ("trạng thái", "chưa gửi ý kiến nào"),
        ("QUYỀN", "có quyền"),
        ("giúp tôi với, dùng thế nào", "TRẠNG THÁI"),
    ],
)
def test_an_interruption_is_answered_and_the_concern_goes_on(known: Talk, question: str, answer: str) -> None:
    known.say(MATTER)
    assert answer in known.say(question)
    assert CODE.search(known.say("đúng, gửi ý kiến"))


def test_the_place_can_be_changed_before_sending(known: Talk) -> None:
    known.say(MATTER)
    choices = known.say("sửa lại")
    assert "Đổi xã, phường" in choices
    assert "đúng chưa" not in choices
    known.say("Đổi xã, phường")
    assert "Xã Bắc Hà" in known.say("bắc hà")
    assert CODE.search(known.say("1"))


def test_the_words_can_be_written_anew_before_sending(known: Talk) -> None:
    known.say(MATTER)
    known.say("sửa lại")
    known.say("1")
    confirmation = known.say("Cống thoát nước trước trường mầm non bị tắc, nước ngập sân trường")
    assert "Cống thoát nước" in confirmation
    assert "Na Rin" not in confirmation


def test_the_place_of_a_sent_concern_can_be_changed_by_code(known: Talk) -> None:
    code = told(known)
    known.say(f"sửa {code}")
    known.say("Đổi xã, phường")
    assert "Xã Bắc Hà" in known.say("bac ha")
    assert stored(known, code).unit_code == "02839"


def test_a_dropped_concern_is_not_stored(known: Talk) -> None:
    known.say(MATTER)
    assert "không gửi" in known.say("bỏ, không gửi")
    assert "chưa gửi ý kiến nào" in known.say("trạng thái")


def test_the_same_text_again_gets_the_same_code(known: Talk) -> None:
    code = told(known)
    assert code in known.say(MATTER)


def test_status_shows_every_concern_and_its_history_by_code(known: Talk) -> None:
    code = told(known)
    assert code in known.say("TRẠNG THÁI")
    assert code in known.say("y kien cua toi toi dau roi")
    history = known.say(code.lower())
    assert "đã tiếp nhận" in history


def test_withdraw_by_code_asks_once(known: Talk) -> None:
    code = told(known)
    assert "phải không" in known.say(f"rút {code}")
    assert "đã rút" in known.say("đúng")
    assert stored(known, code).state == "withdrawn"


def test_a_withdrawal_can_be_thought_over(known: Talk) -> None:
    code = told(known)
    known.say(f"rut y kien {code}")
    assert "giữ nguyên" in known.say("không")
    assert stored(known, code).state == "received"


def test_edit_and_add_by_code_keep_the_first_words_in_the_history(known: Talk) -> None:
    code = told(known)
    known.say(f"bổ sung {code}")
    assert "đã bổ sung" in known.say("Tuần trước có xe khách suýt lật ở đó")
    assert "suýt lật" in stored(known, code).text
    known.say(f"sửa {code}")
    known.say("1")
    assert "đã sửa" in known.say("Đường vào thôn Na Rin sạt hẳn, xe con cũng không vào được")
    assert "xe con" in stored(known, code).text
    assert "sửa nội dung" in known.say(code)


def test_nobody_reads_another_ones_concern(new_person: Callable[[], Talk], known: Talk) -> None:
    code = told(known)
    stranger = new_person()
    stranger.say("chào")
    stranger.say("1")
    stranger.say("bắc hà")
    answer = stranger.say(code)
    assert "không thấy mã" in answer
    assert "Na Rin" not in answer


def test_an_edited_message_changes_the_concern_that_is_being_told(known: Talk) -> None:
    known.say("Đường vào thôn Na Rin sạt lở, xe tải không vào được, đề nghị làm kè")
    with known.database.read() as session:
        first = session.scalars(
            select(Inbound.external_id).where(Inbound.sender_id == known.person).order_by(Inbound.id.desc())
        ).first()
    answer = known.send(
        IncomingKind.EDITED_TEXT,
        "Đường vào thôn Na Rin sạt lở, xe máy cũng không vào được, đề nghị làm kè",
        refers_to=(str(first),),
    )
    assert "xe máy cũng" in answer

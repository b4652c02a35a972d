"""Several matters, thin concerns and legal doors, through the real engine and the real actions."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from storage.models import Concern, ConcernEvent, ConcernPart, ConcernState, Contact
from tests.factories.conversation import Talk

pytestmark = pytest.mark.slow

CODE = re.compile(r"LC-\d{2}-\d{5}")
TWO = "Đường vào thôn 3 hỏng nặng. Ngoài ra nước sinh hoạt bị đục cả tháng"


def concerns_of(person: Talk) -> list[Concern]:
    with person.database.read() as session:
        query = select(Concern).join(Contact).where(Contact.external_id == person.person).order_by(Concern.id)
        return list(session.scalars(query))


def test_two_matters_are_numbered_and_confirmed_with_one_word(known: Talk) -> None:
    asked = known.say(TWO)
    assert "Việc 1: «Đường vào thôn 3 hỏng nặng" in asked
    assert "Việc 2: «nước sinh hoạt bị đục cả tháng»" in asked

    said = known.say("đúng")
    codes = CODE.findall(said)

    assert len(set(codes)) == 2
    first, second = concerns_of(known)
    assert [first.code, second.code] == codes
    assert (first.state, second.state) == (ConcernState.RECEIVED, ConcernState.RECEIVED)
    assert (first.field_code, second.field_code) == ("giao_thong", "dien_nuoc")
    assert "nước" not in first.text and "Đường" not in second.text


def test_each_separated_matter_keeps_the_message_that_it_came_from(known: Talk) -> None:
    known.say(TWO)
    known.say("1")

    with known.database.read() as session:
        ids = [c.id for c in concerns_of(known)]
        parts = session.scalars(select(ConcernPart).where(ConcernPart.concern_id.in_(ids))).all()
        kinds = session.scalars(select(ConcernEvent.kind).where(ConcernEvent.concern_id.in_(ids))).all()
    assert len(parts) == 2
    assert len({part.inbound_id for part in parts}) == 1
    assert kinds == ["submitted", "submitted"]


def test_the_person_can_say_that_it_is_one_matter(known: Talk) -> None:
    known.say(TWO)
    summary = known.say("Đây chỉ là một việc")
    assert "Việc 1" not in summary
    assert "nước sinh hoạt" in summary

    assert len(CODE.findall(known.say("đúng rồi"))) == 1
    (only,) = concerns_of(known)
    assert only.text == TWO


def test_saying_yes_twice_sends_nothing_twice(known: Talk) -> None:
    known.say(TWO)
    known.say("đúng")
    known.say("đúng")

    assert len(concerns_of(known)) == 2


def test_a_message_held_before_consent_is_split_too(newcomer: Talk) -> None:
    newcomer.say(TWO)
    newcomer.say("1")
    assert "Việc 2" in newcomer.say("bat xat")


def test_a_thin_concern_is_asked_back_once_and_the_answer_is_added(known: Talk) -> None:
    question = known.say("đường hỏng")
    assert "thôn, tổ nào" in question
    assert "1. Không biết" in question or "Không biết" in question

    summary = known.say("đoạn qua thôn 5, gần cầu treo")
    assert "Như vậy đã đúng chưa" in summary
    assert "gần cầu treo" in summary

    assert CODE.search(known.say("đúng"))
    (only,) = concerns_of(known)
    assert only.text == "đường hỏng\nđoạn qua thôn 5, gần cầu treo"


@pytest.mark.parametrize("answer", ["không biết", "ko biet a", "Không biết", "1", "chịu"])
def test_not_knowing_is_an_answer(known: Talk, answer: str) -> None:
    known.say("đường hỏng")
    assert "Như vậy đã đúng chưa" in known.say(answer)
    assert CODE.search(known.say("đúng"))
    (only,) = concerns_of(known)
    assert only.text == "đường hỏng"


def test_an_answered_question_is_not_asked_again(known: Talk) -> None:
    known.say("đường hỏng")
    known.say("không biết")
    assert "thôn, tổ nào" not in known.say("xe máy cũng không đi được")


def test_a_denunciation_shows_the_words_and_is_undone_in_the_persons_words(known: Talk) -> None:
    advice = known.say("Tôi tố cáo ông trưởng thôn lấy tiền hỗ trợ của dân")
    assert "không gửi tiếp nội dung tố cáo ở đây" in advice
    assert "«Tôi tố cáo ông»" in advice
    assert concerns_of(known)[0].state == ConcernState.QUARANTINED

    summary = known.say("khong phai to cao dau, toi chi phan anh thoi")
    assert "Như vậy đã đúng chưa" in summary
    more = known.say("Mong xã trả lời cho dân rõ việc này")
    assert "tố cáo ở đây" not in more  # What the person has said about it stays said.
    assert CODE.search(known.say("đúng"))
    assert concerns_of(known)[0].state == ConcernState.RECEIVED


def test_the_safe_part_of_a_mixed_message_goes_on(known: Talk) -> None:
    said = known.say("Đường vào thôn hỏng nặng quá. Ngoài ra tôi tố cáo ông kế toán lấy tiền của dân")
    assert "không gửi tiếp nội dung tố cáo ở đây" in said
    assert "Như vậy đã đúng chưa" in said
    assert "kế toán" not in said.split("ghi ý kiến")[1].split("Như vậy")[0]

    assert CODE.search(known.say("đúng"))
    states = {c.text[:5]: (c.state, c.session_id is None) for c in concerns_of(known)}
    assert states["Đường"] == (ConcernState.RECEIVED, False)
    assert states["tôi t"] == (ConcernState.QUARANTINED, True)


def test_the_part_set_apart_is_brought_back_with_one_tap(known: Talk) -> None:
    known.say("Đường vào thôn hỏng nặng quá. Ngoài ra tôi tố cáo ông kế toán lấy tiền của dân")
    summary = known.say("Không phải tố cáo, tôi chỉ phản ánh")

    assert "kế toán" in summary
    assert CODE.search(known.say("đúng"))
    assert [c.state for c in concerns_of(known)] == [ConcernState.RECEIVED] * 2

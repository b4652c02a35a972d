"""Words that need no language model: a yes, "không biết", and taking back a legal door."""

from __future__ import annotations

import pytest

from core.intake.state import Awaiting, Dialogue
from core.intake.typed import Resolved, knows_nothing, resolve
from core.outbox.port import IncomingKind


def meaning(text: str, dialogue: Dialogue | None = None) -> Resolved | None:
    return resolve(IncomingKind.TEXT, text, dialogue or Dialogue(), inbound_id=1)


@pytest.mark.parametrize("text", ["đúng", "Đúng ạ", "dung", "dung roi", "ok", "Vâng", "gửi đi", "có"])
def test_one_word_confirms_what_was_shown(text: str) -> None:
    assert meaning(text, Dialogue(awaiting=Awaiting.CONFIRMATION)) == Resolved("affirm")


def test_yes_is_never_taken_for_stop() -> None:
    assert meaning("đúng") == Resolved("affirm")
    assert meaning("dừng") == Resolved("unsubscribe")
    assert meaning("DUNG") == Resolved("unsubscribe")
    assert meaning("dừng", Dialogue(awaiting=Awaiting.CONFIRMATION)) == Resolved("unsubscribe")


@pytest.mark.parametrize(
    "text",
    [
        "không biết",
        "ko biết",
        "K biet a",
        "tôi không rõ",
        "không nhớ nữa",
        "chịu",
        "thôi",
        "chưa rõ",
        "gửi luôn đi",
    ],
)
def test_not_knowing_is_recognised(text: str) -> None:
    assert knows_nothing(text)


@pytest.mark.parametrize("text", ["thôn 5", "không có nước", "ở chợ, không biết tên đường", "gần cầu"])
def test_an_answer_is_not_taken_for_not_knowing(text: str) -> None:
    assert not knows_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "Không phải tố cáo, tôi chỉ phản ánh",
        "khong phai to cao dau",
        "dạ không phải khiếu nại ạ",
        "tôi chỉ phản ánh thôi",
    ],
)
def test_a_door_is_taken_back_in_ones_own_words(text: str) -> None:
    offered = Dialogue(choices=[["Không phải tố cáo, tôi chỉ phản ánh", "door:normal:7"]])

    assert meaning(text, offered) == Resolved("choose", "door:normal:7")
    assert meaning(text) is None


def test_a_longer_story_does_not_take_a_door_back() -> None:
    offered = Dialogue(choices=[["x", "door:normal:7"]])
    story = (
        "Không phải tố cáo gì nhưng ông trưởng thôn đã lấy tiền của cả thôn từ năm ngoái đến nay chưa trả lại"
    )

    assert meaning(story, offered) is None


def test_a_short_answer_to_the_question_belongs_to_the_concern_and_a_question_does_not() -> None:
    waiting = Dialogue(awaiting=Awaiting.DETAIL, about=4)

    assert meaning("đoạn qua thôn 5", waiting) == Resolved("choose", "detail:words:4")
    assert meaning("bao giờ họp vậy?", waiting) is None
    assert meaning("trạng thái", waiting) == Resolved("ask_status")

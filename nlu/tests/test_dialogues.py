"""Rules, forms and interruptions of the trained model: Rasa's test stories, and turns through the channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Engine

STORIES = Path(__file__).parent / "stories"


def test_rasa_test_stories(engine: Engine, tmp_path: Path) -> None:
    from rasa.core.test import test as run_stories

    result = engine.run(
        run_stories(str(STORIES), engine.agent, out_directory=str(tmp_path), e2e=True, disable_plotting=True)
    )
    failed = (tmp_path / "failed_test_stories.yml").read_text("utf-8")
    assert "None of the test stories failed" in failed, failed
    assert result["report"]["conversation_accuracy"]["total"] == 7


CONSENT = {"active_loop": "registration_form", "requested_slot": "consent"}
COMMUNE = {"active_loop": "registration_form", "requested_slot": "commune", "slots": {"consent": True}}
CONCERN_FORM = {
    "active_loop": "concern_form",
    "requested_slot": "confirmation",
    "slots": {"concern_text": "mất điện cả tuần"},
}
INTERRUPTIONS = {
    "khi nào tổ chức đối thoại": "action_sessions",
    "kênh này dùng thế nào": "action_help",
    "cho tôi gặp cán bộ": "action_staff",
    "thông tin của tôi có được giữ kín không": "action_rights",
    "ý kiến cũ của tôi đến đâu rồi": "action_status",
}


@pytest.mark.parametrize("text", INTERRUPTIONS)
@pytest.mark.parametrize("snapshot", [CONSENT, COMMUNE, CONCERN_FORM], ids=["consent", "commune", "concern"])
def test_a_question_inside_a_form_is_answered_and_the_form_asks_again(
    working: Engine, text: str, snapshot: dict[str, Any]
) -> None:
    form, slot = snapshot["active_loop"], snapshot["requested_slot"]
    status, answer = working.ask(text, snapshot)
    assert status == 200
    said = [m["text"] for m in answer["messages"]]
    assert said == [INTERRUPTIONS[text], f"action_ask_{form}_{slot}"]


@pytest.mark.parametrize("text", ["xin chào", "tôi muốn gửi ý kiến thì làm thế nào", "cảm ơn cán bộ nhiều"])
def test_small_words_open_no_form(working: Engine, text: str) -> None:
    _, answer = working.ask(text)
    assert not {"concern_form", "registration_form"} & set(answer["actions"])


CONCERNS = [
    "Từ hôm sáp nhập, bà con đi chứng thực giấy tờ phải vượt ba mươi cây số đường đèo",
    "Trường mầm non thôn tôi dột cả ba phòng, mong nhà nước cho sửa trước mùa mưa",
    "may bom nuoc cua tram cap nuoc hong ca thang roi ma ko ai sua",
    "cầu treo mục hết ván, các cháu đi học nguy hiểm lắm các bác ơi",
    "Sao thôn tôi không được làm đường bê tông như thôn bên?",
]


@pytest.mark.parametrize("text", CONCERNS)
def test_a_concern_typed_straight_away_opens_its_form(working: Engine, text: str) -> None:
    _, answer = working.ask(text)
    assert answer["actions"][0] == "concern_form"


@pytest.mark.parametrize(
    "intent", ["subscribe", "erase_data", "ask_human", "withdraw", "ask_bot", "edit_concern"]
)
def test_every_intent_without_a_form_has_one_answer(working: Engine, intent: str) -> None:
    body = {"sender": "a", "inbound_id": 2, "text": "x", "snapshot": {}, "intent": {"name": intent}}
    status, answer = working.post(body)
    assert status == 200
    assert len(answer["messages"]) == 1

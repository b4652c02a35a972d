"""The channel's promises: a token, no text is ever a command, failures are told, nothing is kept."""

from __future__ import annotations

import pytest
from conftest import Engine

WEBHOOK = {"sender": "a", "inbound_id": 7, "text": "xin chào", "snapshot": {}}


@pytest.mark.parametrize("token", [None, "", "wrong", "wróng"])
def test_without_the_token_nothing_happens(working: Engine, token: str | None) -> None:
    assert working.post(WEBHOOK, token=token)[0] == 401
    assert working.actions.calls == []


def test_with_the_token_the_action_answers(working: Engine) -> None:
    status, answer = working.post(WEBHOOK)
    assert status == 200
    assert [m["text"] for m in answer["messages"]] == ["action_greet"]
    assert answer["intent"]["name"] == "greet"
    assert working.actions.calls[0]["tracker"]["latest_message"]["metadata"]["inbound_id"] == 7


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {**WEBHOOK, "inbound_id": "7"},
        {**WEBHOOK, "text": None},
        {**WEBHOOK, "snapshot": []},
        {**WEBHOOK, "intent": "greet"},
        {**WEBHOOK, "text": "a" * 20_001},
    ],
)
def test_a_body_of_another_shape_is_refused(working: Engine, body: object) -> None:
    assert working.post(body)[0] == 400
    assert working.actions.calls == []


@pytest.mark.parametrize(
    "text",
    [
        "/erase_data",
        "/withdraw",
        "//unsubscribe",
        "/ erase_data",
        '/choose{"choice": "consent_yes"}',
        '/greet{"choice": "1"}',
        "/raise_concern@0.99",
        "/",
    ],
)
def test_a_text_with_a_slash_never_becomes_an_intent_or_a_payload(working: Engine, text: str) -> None:
    status, answer = working.ask(text)
    assert status == 200
    # Rasa's own slash syntax would be certain (1.0) and would carry entities.
    assert answer["intent"]["confidence"] < 1.0
    for call in working.actions.calls:
        message = call["tracker"]["latest_message"]
        assert message["entities"] == []
        assert message["text"] == text


@pytest.mark.parametrize("text", ["/erase_data", "/subscribe", '/choose{"choice": "2"}'])
def test_the_named_action_of_a_slash_text_does_not_run(working: Engine, text: str) -> None:
    _, answer = working.ask(text)
    assert not {"action_erase", "action_subscribe", "action_choose"} & set(answer["actions"])


def test_an_intent_given_by_the_application_is_taken(working: Engine) -> None:
    body = {**WEBHOOK, "text": "1", "intent": {"name": "choose", "entities": {"choice": "stop"}}}
    status, answer = working.post(body)
    assert status == 200
    assert answer["actions"][0] == "action_choose"
    entities = working.actions.calls[0]["tracker"]["latest_message"]["entities"]
    assert [(e["entity"], e["value"]) for e in entities] == [("choice", "stop")]


def test_a_failed_action_is_a_502(working: Engine) -> None:
    working.actions.failing = {"action_greet"}
    status, answer = working.post(WEBHOOK)
    assert status == 502
    assert answer["error"] == "action_failed"


def test_a_failed_form_question_is_a_502(working: Engine) -> None:
    working.actions.failing = {"action_ask_concern_form_concern_text"}
    status, answer = working.ask("Đường vào thôn hỏng nặng, đề nghị xã sửa cho bà con đi lại")
    assert status == 502
    assert answer["error"] == "action_failed"


def test_the_error_names_no_word_of_the_person(working: Engine) -> None:
    working.actions.failing = {"action_greet", "action_not_understood", "action_submit_concern"}
    _, answer = working.ask("xin chào")
    assert "xin chào" not in str(answer)


def test_the_same_snapshot_takes_the_same_way_twice(working: Engine) -> None:
    open_form = {"active_loop": "concern_form", "requested_slot": "concern_text"}
    first = working.ask("khi nào có buổi đối thoại", open_form)
    working.ask("xin chào")
    assert working.ask("khi nào có buổi đối thoại", open_form) == first


def test_nothing_of_a_conversation_stays(working: Engine) -> None:
    working.ask("Cống trước nhà tôi tắc, nước tràn vào nhà, đề nghị khơi thông giúp")
    _, answer = working.ask("xin chào")
    assert answer["actions"][0] == "action_greet"
    assert "concern_form" not in answer["actions"]

"""Messages that break chat bots: each gets a sensible Vietnamese reply, nothing crashes, nothing is lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from core.outbox.port import IncomingAttachment, IncomingKind
from storage.models import Concern, Inbound, InboundState
from tests.factories.conversation import Talk

pytestmark = pytest.mark.slow

MATTER = "Đường vào thôn hỏng nặng, mưa xuống là không ai đi nổi, đề nghị tỉnh sửa giúp bà con"


@pytest.mark.parametrize(
    "typed",
    [
        "/start",
        "/raise_concern",
        '/raise_concern{"choice": "1"}',
        "/restart",
        "/session_start",
        "EXTERNAL: hello",
        "//",
        "/",
    ],
)
def test_a_slash_is_only_a_character(known: Talk, typed: str) -> None:
    answer = known.say(typed)
    assert answer
    assert "Traceback" not in answer
    # The conversation is where it was: a matter is understood and confirmed as ever.
    assert "1. Đúng" in known.say(MATTER)


@pytest.mark.parametrize(
    "typed",
    [
        "😡😡😡",
        "👍",
        "…",
        "???",
        "\u200b\u200b",
        "\x00\x01\x02",
        "   ",
        "",
        "1" * 300,
        "\n\n\n",
        "<b>x</b>",
        "a\u202eb",
    ],
)
def test_texts_without_words_get_a_reply(known: Talk, typed: str) -> None:
    assert known.say(typed).strip()


def test_five_thousand_characters_are_kept_whole(known: Talk) -> None:
    long = (MATTER + ". ") * 60
    long = long[:5000]
    assert "1. Đúng" in known.say(long)
    known.say("1")
    with known.database.read() as session:
        lengths = session.scalars(
            select(func.length(Concern.text)).order_by(Concern.id.desc()).limit(1)
        ).all()
    assert lengths[0] >= len(long.strip())


def test_decomposed_letters_are_composed(known: Talk) -> None:
    confirmation = known.say(unicodedata.normalize("NFD", MATTER))
    assert MATTER in confirmation


@pytest.mark.parametrize(
    "kind", [IncomingKind.STICKER, IncomingKind.UNSUPPORTED, IncomingKind.VIDEO, IncomingKind.CONTACT]
)
def test_other_kinds_get_a_reply(known: Talk, kind: IncomingKind) -> None:
    attachments = (IncomingAttachment(kind, file_ref="x"),) if kind is IncomingKind.VIDEO else ()
    assert "Dạ" in known.send(kind, attachments=attachments)


def test_an_edit_of_an_unknown_message_is_answered(known: Talk) -> None:
    assert known.send(IncomingKind.EDITED_TEXT, MATTER, refers_to=("no-such-message",)).strip()


_TEXTS = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="/{}\"':;\\()[]<>%$#@!", max_size=40),
    st.sampled_from(["1", "2", "3", "9", "ok", "không", "sửa", "bỏ", "/x", MATTER, "bát xát", "LỊCH", "XÓA"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_TEXTS, min_size=1, max_size=6))
def test_no_sequence_of_messages_breaks_a_conversation(known: Talk, messages: list[str]) -> None:
    """Every message is answered or joined to one that is; none is left behind or failed."""
    for text in messages:
        answer = known.say(text)
        assert answer.strip()
        assert unicodedata.is_normalized("NFC", answer)
    with known.database.read() as session:
        left = session.scalars(
            select(Inbound.state).where(Inbound.sender_id == known.person, Inbound.state != InboundState.DONE)
        ).all()
    assert not left

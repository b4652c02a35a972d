"""Whatever bytes are posted, reading them ends in a message or in one known refusal."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.simulator.requests import TextMessage, UnreadableMessage, file_name, read_message

IDS = {"person": "p" * 32, "id": "m" * 32}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["person", "id", "kind", "text", "value", "label", "latitude", "longitude"])
ANY_CHARACTER = st.characters(codec=None, exclude_categories=())


def read(body: bytes) -> None:
    with contextlib.suppress(UnreadableMessage):
        read_message(body)


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    read(body)


@settings(deadline=None)
@given(st.dictionaries(FIELDS, ANY_JSON))
def test_any_fields_are_read_or_refused(fields: dict[str, Any]) -> None:
    read(json.dumps({**IDS, "kind": "text", **fields}).encode())


@settings(deadline=None)
@given(st.text(ANY_CHARACTER, max_size=200))
def test_any_typed_text_is_read_and_can_be_stored(text: str) -> None:
    message = read_message(json.dumps({**IDS, "kind": "text", "text": text}).encode())
    assert isinstance(message, TextMessage)
    message.text.encode()  # No half character is left, which no database would take.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert message.text == whole


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_file_name_is_made_harmless(quoted: str) -> None:
    name = file_name(quoted)
    assert len(name) <= 120
    assert "/" not in name
    assert "\\" not in name
    assert all(unicodedata.category(character)[0] != "C" for character in name)

"""What a citizen reads, through the real engine and the real actions."""

from __future__ import annotations

import re

import pytest

from tests.factories.conversation import Talk

pytestmark = pytest.mark.slow

CODE = re.compile(r"LC-\d{2}-\d{5}")


def test_first_contact_with_a_concern_needs_four_messages(newcomer: Talk) -> None:
    welcome = newcomer.say("Đường liên thôn hỏng nặng, xe máy không đi được, đề nghị sửa chữa")
    assert "tự động" in welcome
    assert "1. Tôi đồng ý\n2. Tôi không đồng ý" in welcome
    assert "xã, phường" in newcomer.say("1")
    confirmation = newcomer.say("xa bat xat")
    assert "Đường liên thôn hỏng nặng" in confirmation
    assert "Xã Bát Xát" in confirmation
    assert "giao thông" in confirmation
    assert CODE.search(newcomer.say("đúng rồi"))

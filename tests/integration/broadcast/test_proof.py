"""The sealed file of outcomes: whole as exported, and every change to it is found."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from core.broadcast import announce, proof
from tests.factories.many import many_concerns
from tests.factories.records import Commune

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def sealed(messages: list[dict[str, Any]], key: Ed25519PrivateKey = KEY) -> list[str]:
    return list(proof.sealed(messages, key=key, agency="Văn phòng", scope={}, now=NOW))


def test_the_outcomes_of_an_announcement_are_in_it_and_no_words_or_addresses(commune: Commune) -> None:
    session_id = commune.collecting()
    many_concerns(commune, 30, session_id=session_id, subscribers=True)
    with commune.database.write() as session:
        made, rows = announce.start(
            session, unit_code="15", session_id=session_id, text="Mời bà con", created_by="t", now=NOW
        )
        number = made.id
    with commune.database.read() as session:
        lines = sealed(list(proof.rows(session, announcement_id=number)))
    verdict = proof.verify(lines)
    assert (verdict.ok, verdict.messages, verdict.problem) == (True, rows, "")
    first = json.loads(lines[1])
    assert {"id", "contact_id", "channel", "state", "external_id", "sent_at", "cost_vnd"} <= first.keys()
    assert "Mời bà con" not in "".join(lines)
    assert isinstance(first["contact_id"], int)


_MESSAGES = [{"id": n, "state": "sent"} for n in range(5)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda lines: [*lines[:2], lines[2].replace("sent", "seen"), *lines[3:]], "chain_broken"),
        (lambda lines: [*lines[:2], *lines[3:]], "chain_broken"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "chain_broken"),
        (lambda lines: lines[:-1], "no_seal"),
        (lambda lines: [], "no_seal"),
        (lambda lines: ["{", *lines[1:]], "unreadable"),
        (lambda lines: [*lines[:-1], lines[-1].replace('"messages":5', '"messages":4')], "wrong_count"),
    ],
)
def test_every_change_is_found(change: Callable[[list[str]], list[str]], problem: str) -> None:
    verdict = proof.verify(change(sealed(_MESSAGES)))
    assert (verdict.ok, verdict.problem) == (False, problem)


def test_somebody_elses_signature_is_not_ours() -> None:
    ours = json.loads(sealed(_MESSAGES)[0])["public_key"]
    other = sealed(_MESSAGES, Ed25519PrivateKey.generate())
    assert proof.verify(other).ok  # whole, but whose?
    assert proof.verify(other, public_key=ours).problem == "other_key"
    forged = [sealed(_MESSAGES)[0], *other[1:]]
    assert not proof.verify(forged, public_key=ours).ok


@given(position=st.integers(0), character=st.characters(codec="utf-8", exclude_characters="\r\n"))
def test_one_changed_character_anywhere_is_found(position: int, character: str) -> None:
    lines = sealed(_MESSAGES)
    text = "".join(lines)
    at = position % len(text)
    if text[at] in ("\n", character):
        return
    changed = text[:at] + character + text[at + 1 :]
    ours = json.loads(lines[0])["public_key"]
    assert not proof.verify(changed.splitlines(keepends=True), public_key=ours).ok


def test_the_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    first, again = proof.signing_key(tmp_path), proof.signing_key(tmp_path)
    assert first.private_bytes_raw() == again.private_bytes_raw()
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

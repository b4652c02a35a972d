"""Every event of a platform becomes one row, whatever it holds and however often it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from core.intake import receive
from core.outbox.port import ChannelName, Incoming, IncomingAttachment, IncomingKind
from core.text.normal import clean
from storage.database import Database
from storage.models import Inbound
from tests.factories.databases import empty

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def _event(number: int, *, text: str | None = "Đường hỏng", **changes: object) -> Incoming:
    event = Incoming(ChannelName.TELEGRAM, "a", f"m{number}", IncomingKind.TEXT, "p", NOW, text)
    return replace(event, **changes)  # type: ignore[arg-type]


def _store(database: Database, *events: Incoming) -> int:
    with database.write() as session:
        return len(receive.store(session, events, now=NOW))


def test_repeats_change_nothing_and_are_not_counted(database: Database) -> None:
    assert _store(database, _event(1), _event(2)) == 2
    assert _store(database, _event(2, text="khác"), _event(3)) == 1
    assert _store(database, _event(4), _event(4)) == 1
    assert _store(database) == 0
    with database.read() as session:
        texts = dict(session.execute(select(Inbound.external_id, Inbound.text)).tuples().all())
    assert texts == {f"m{n}": "Đường hỏng" for n in (1, 2, 3, 4)}


def test_the_same_id_of_another_account_or_channel_is_another_message(database: Database) -> None:
    events = [_event(1), _event(1, account_id="b"), _event(1, channel=ChannelName.ZALO_BOT)]
    assert _store(database, *events) == 3


def test_concurrent_repeats_store_each_event_once(database: Database) -> None:
    events = [_event(number) for number in range(20)]
    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(lambda _: _store(database, *events), range(6)))
    assert sum(counts) == 20
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Inbound)) == 20


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None), max_size=300), name=st.text(max_size=40))
def test_any_text_and_any_file_name_can_be_stored(database: Database, text: str, name: str) -> None:
    empty(database)
    photo = IncomingAttachment(IncomingKind.FILE, file_ref="r", file_name=name, latitude=None)
    assert _store(database, _event(1, text=text, attachments=(photo,), start_payload=text)) == 1
    with database.read() as session:
        row = session.scalars(select(Inbound)).one()
        assert row.text == clean(text)
        assert receive.attachments_of(row) == [replace(photo, file_name=clean(name))]


@pytest.mark.parametrize("hostile", ["a\x00b", "\ud800x", "\u202ex"])
def test_file_names_that_a_database_refuses_are_cleaned(database: Database, hostile: str) -> None:
    photo = IncomingAttachment(IncomingKind.FILE, file_ref="r", file_name=hostile)
    assert _store(database, _event(1, attachments=(photo,))) == 1


def test_what_has_no_meaning_is_kept_but_never_waits(database: Database) -> None:
    _store(database, _event(1, kind=IncomingKind.IGNORED, text=None), _event(2))
    with database.read() as session:
        states = dict(session.execute(select(Inbound.external_id, Inbound.state)).tuples().all())
    assert states == {"m1": "done", "m2": "received"}

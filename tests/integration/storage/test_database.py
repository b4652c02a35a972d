"""What both databases promise to the rules: aware UTC, writers that wait, rollbacks, errors without words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from storage.database import Database
from storage.models import CodeCounter, ConsentState, InboundState, Lease, OutboundState, Unit

AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    naive=st.datetimes(
        min_value=AT.replace(year=2000, tzinfo=None), max_value=AT.replace(year=2100, tzinfo=None)
    ),
    offset_minutes=st.integers(-14 * 60, 14 * 60),
)
def test_instants_come_back_equal_and_in_utc(
    database: Database, naive: datetime, offset_minutes: int
) -> None:
    instant = naive.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    with database.write() as session:
        session.merge(Lease(name="x", holder="h", until=instant))
    with database.read() as session:
        stored = session.get_one(Lease, "x").until
    assert stored == instant
    assert stored.tzinfo is UTC


def test_naive_instants_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"), database.write() as session:
        session.add(Lease(name="x", holder="h", until=AT.replace(tzinfo=None)))


def test_stored_instants_compare_in_queries(database: Database) -> None:
    hanoi = timezone(timedelta(hours=7))
    with database.write() as session:
        session.add(Lease(name="a", holder="h", until=AT))
        session.add(Lease(name="b", holder="h", until=AT + timedelta(microseconds=1)))
    with database.read() as session:
        query = select(Lease.name).where(Lease.until > AT.astimezone(hanoi))
        assert session.scalars(query).all() == ["b"]


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(Unit(code="15", name="Tỉnh Lào Cai", kind="tinh", profile={}))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalars(select(Unit)).all() == []


def test_a_read_session_keeps_nothing(database: Database) -> None:
    with database.read() as session:
        session.add(Unit(code="15", name="Tỉnh Lào Cai", kind="tinh", profile={}))
        session.flush()
    with database.read() as session:
        assert session.scalars(select(Unit)).all() == []


def test_writers_that_read_first_all_succeed(database: Database) -> None:
    """Read, think, write: on SQLite this fails with "database is locked" unless writers begin as writers."""

    def add(_: int) -> None:
        with database.write() as session:
            row = session.get(CodeCounter, ("X", 26), with_for_update=True)
            assert row is not None
            row.last += 1

    with database.write() as session:
        session.add(CodeCounter(prefix="X", year=26, last=0))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(64)))
    with database.read() as session:
        assert session.get_one(CodeCounter, ("X", 26)).last == 64


def test_readers_go_on_while_a_writer_writes(database: Database) -> None:
    with database.write() as writer:
        writer.add(Unit(code="15", name="Tỉnh Lào Cai", kind="tinh", profile={}))
        writer.flush()
        with database.read() as reader:
            assert reader.scalar(select(func.count()).select_from(Unit)) == 0


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Unit(code="02683", parent_code="99", name="Xã Bát Xát", kind="Xã", profile={}))


def test_errors_carry_no_parameters(database: Database) -> None:
    """Parameters are what people wrote."""
    with pytest.raises(DBAPIError) as caught, database.write() as session:
        session.execute(text("INSERT INTO unit (code, name) VALUES (:words, NULL)"), {"words": "điều riêng"})
    assert "điều riêng" not in str(caught.value)


def test_sqlite_uses_a_write_ahead_log_that_survives_a_power_cut(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite only")
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("value", [{"khoá": ["đ", 1, None, {"a": 1.5}]}, {}, {"rỗng": ""}])
def test_json_comes_back_as_it_was(database: Database, value: dict[str, object]) -> None:
    with database.write() as session:
        session.add(Unit(code="15", name="Tỉnh Lào Cai", kind="tinh", profile=value))
    with database.read() as session:
        assert session.get_one(Unit, "15").profile == value


def test_states_fit_their_columns() -> None:
    from storage.models import Base, ConcernState, OutboundKind, SessionState, StaffRole

    for table, column, states in (
        ("concern", "state", ConcernState),
        ("inbound", "state", InboundState),
        ("outbound", "state", OutboundState),
        ("outbound", "kind", OutboundKind),
        ("dialogue_session", "state", SessionState),
        ("staff_member", "role", StaffRole),
        ("citizen", "consent", ConsentState),
    ):
        length = Base.metadata.tables[table].c[column].type.length  # type: ignore[attr-defined]
        assert max(len(state) for state in states) <= length

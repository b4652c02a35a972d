"""Databases for tests: SQLite files and PostgreSQL databases.

The server is the one of `NGHEDAN_TEST_POSTGRESQL_URL` or the usual one on loopback; where none answers, the
tests that need it are skipped and say so.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, delete, make_url, text
from sqlalchemy.exc import OperationalError

from storage.database import Database
from storage.models import Base

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
_DEFAULT_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


def server_url() -> URL:
    """Where databases for tests are made."""
    return make_url(os.environ.get("NGHEDAN_TEST_POSTGRESQL_URL", _DEFAULT_SERVER))


@cache
def _server_answers() -> bool:
    engine = create_engine(server_url(), connect_args={"connect_timeout": 3})
    try:
        engine.connect().close()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


def need_postgresql() -> None:
    """Skip the test with a visible reason when no server answers."""
    if not _server_answers():
        pytest.skip(f"no PostgreSQL answers at {server_url().host}:{server_url().port}")


@contextmanager
def postgresql_database() -> Iterator[str]:
    """The URL of a new database, dropped afterwards."""
    need_postgresql()
    name = f"nghedan_test_{uuid.uuid4().hex[:16]}"
    _on_server(f"CREATE DATABASE {name}")
    # A crash of the server in the middle of a test loses nothing that anybody needs.
    _on_server(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        yield server_url().set(database=name).render_as_string(hide_password=False)
    finally:
        _on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def sqlite_database(folder: Path) -> str:
    """The URL of a SQLite file in a folder."""
    return f"sqlite:///{folder / 'nghedan.db'}"


def empty(database: Database) -> None:
    """Remove every row of every table."""
    with database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))


def _on_server(statement: str) -> None:
    engine = create_engine(server_url(), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()

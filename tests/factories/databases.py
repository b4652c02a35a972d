"""Fresh databases for tests: SQLite files and PostgreSQL databases, copied from one migrated template each.

The server is the one of `NGHEDAN_TEST_POSTGRESQL_URL` or the usual one on loopback; where none answers, the
tests that need it are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

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
def postgresql_database(template: str | None = None) -> Iterator[str]:
    """The URL of a new database, dropped afterwards; `template` is the name of one to copy."""
    need_postgresql()
    name = f"nghedan_test_{uuid.uuid4().hex[:16]}"
    _on_server(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    try:
        yield server_url().set(database=name).render_as_string(hide_password=False)
    finally:
        _on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def sqlite_database(folder: Path, template: Path | None = None) -> str:
    """The URL of a SQLite file in a folder, copied from `template` when one is given."""
    path = folder / "nghedan.db"
    if template is not None:
        shutil.copy(template, path)
    return f"sqlite:///{path}"


def _on_server(statement: str) -> None:
    engine = create_engine(server_url(), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()

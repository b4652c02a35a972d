"""Shared by all tests: nothing leaves this machine, and databases of both kinds with the newest schema."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from storage.database import Database
from storage.migrate import upgrade
from tests.factories.databases import BACKENDS, need_postgresql, postgresql_database, sqlite_database


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuse every connection to an address outside loopback, whoever asks."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host.split("%")[0]).is_loopback:
                raise AssertionError(f"a test tried to reach {host}")
        real(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    url = sqlite_database(tmp_path_factory.mktemp("template"))
    upgrade(url)
    return Path(str(make_url(url).database))


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    """The name of a migrated PostgreSQL database to copy."""
    with postgresql_database() as url:
        upgrade(url)
        yield str(make_url(url).database)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`; tests that use it run on both."""
    if request.param == "postgresql":
        need_postgresql()
    return str(request.param)


@pytest.fixture
def empty_database_url(backend: str, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table."""
    if backend == "sqlite":
        yield sqlite_database(tmp_path)
    else:
        with postgresql_database() as url:
            yield url


@pytest.fixture
def database_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty database with the newest schema."""
    if backend == "sqlite":
        yield sqlite_database(tmp_path, request.getfixturevalue("sqlite_template"))
    else:
        with postgresql_database(request.getfixturevalue("postgresql_template")) as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with the newest schema; a test that uses it runs on SQLite and on PostgreSQL."""
    opened = Database(database_url)
    try:
        yield opened
    finally:
        opened.dispose()

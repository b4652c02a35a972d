"""Shared by all tests: nothing leaves this machine, and databases of both kinds with the newest schema."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from storage.migrate import upgrade
from tests.factories.databases import BACKENDS, empty, need_postgresql, postgresql_database, sqlite_database
from tests.factories.records import Commune


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


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Database]]:
    """One database of each kind with the newest schema, made at first use; one engine keeps its cache."""
    made: dict[str, Database] = {}
    with ExitStack() as stack:

        def database_of(backend: str) -> Database:
            if backend not in made:
                if backend == "sqlite":
                    url = sqlite_database(tmp_path_factory.mktemp("sqlite"))
                else:
                    url = stack.enter_context(postgresql_database())
                upgrade(url)
                made[backend] = Database(url)
                stack.callback(made[backend].dispose)
            return made[backend]

        yield database_of


@pytest.fixture
def database(backend: str, migrated: Callable[[str], Database]) -> Iterator[Database]:
    """An empty database with the newest schema; a test that uses it runs on SQLite and on PostgreSQL."""
    database = migrated(backend)
    try:
        yield database
    finally:
        empty(database)


@pytest.fixture
def database_url(database: Database) -> str:
    """The URL of `database`, for what opens it by itself."""
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def commune(database: Database, tmp_path: Path) -> Commune:
    """A province with two communes and a clock, on a database of each kind."""
    return Commune(database, tmp_path)

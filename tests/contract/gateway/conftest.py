"""The app as it runs, without Rasa: its gateway, polling and attachments against the fake platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.app import make_app
from bot.rehearsal.fakes.servers import RunningFakes, running_fakes
from core.settings import Settings
from storage.database import Database
from storage.migrate import upgrade
from storage.models import Inbound
from tests.factories.servers import free_port, serve

SECRET = "a-secret-of-the-test"


@dataclass
class RunningApp:
    """The served app and its database."""

    url: str
    database: Database
    settings: Settings

    def stored(self) -> list[Inbound]:
        """Every event row, oldest first."""
        with self.database.read() as session:
            return list(session.scalars(select(Inbound).order_by(Inbound.id)))

    async def stored_when(self, condition: Callable[[list[Inbound]], bool]) -> list[Inbound]:
        """The rows, once they fulfil the condition; fails after ten seconds."""
        async with asyncio.timeout(10):
            # Rows of another process: nothing to be woken by.
            while not condition(rows := await asyncio.to_thread(self.stored)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return rows


@pytest.fixture
async def fakes() -> AsyncIterator[RunningFakes]:
    async with running_fakes() as running:
        yield running


@pytest.fixture
def start_app(fakes: RunningFakes, tmp_path: Path) -> Iterator[Callable[..., RunningApp]]:
    """Starts the app; `public` decides between webhooks and polling."""
    with ExitStack() as stack:

        def start(*, public: bool) -> RunningApp:
            return stack.enter_context(_running(fakes, tmp_path, public=public))

        yield start


@contextmanager
def _running(fakes: RunningFakes, folder: Path, *, public: bool) -> Iterator[RunningApp]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = fakes.settings(telegram_secret=SECRET, zalo_bot_secret=SECRET)
    values = {name.removeprefix("NGHEDAN_").lower(): value for name, value in environment.items()}
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        http_port=port,
        public_url=url if public else "",
        rasa_url="http://127.0.0.1:9",  # nothing listens there: the gateway must not need it
        actions_url="http://127.0.0.1:9",
        **values,  # type: ignore[arg-type]
    )
    upgrade(settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    try:
        with serve(make_app(settings), port):
            yield RunningApp(url, database, settings)
    finally:
        database.dispose()

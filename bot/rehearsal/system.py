"""The system under rehearsal: its own processes, data folder and database, and their violent deaths."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from bot.prepare import Say, prepare
from bot.rehearsal.ports import free_port
from bot.supervisor import Supervisor
from core.settings import Settings

_START_WITHIN_S = 240.0
_HOPELESS_AFTER = 4


class SystemDidNotStart(RuntimeError):
    """A process died again and again, or the chain did not answer in time; the message says which."""


class SystemUnderRehearsal:
    """Started from the same programs as `nghedan up`, on ports and data of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str],
        database_url: str,
        models: Path,
        simulator: bool = False,
        workers: int = 0,
        senders: int = 0,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        models.mkdir(parents=True, exist_ok=True)
        link = folder / "models"
        if not link.exists():
            link.symlink_to(models.absolute(), target_is_directory=True)
        self._scratch = ScratchSchema(database_url)
        values = {
            **environment,
            "NGHEDAN_DATA_DIR": str(folder.absolute()),
            "NGHEDAN_DATABASE_URL": self._scratch.url,
            "NGHEDAN_HTTP_PORT": str(free_port()),
            "NGHEDAN_RASA_PORT": str(free_port()),
            "NGHEDAN_ACTIONS_PORT": str(free_port()),
            "NGHEDAN_SIMULATOR": str(simulator).lower(),
            "NGHEDAN_WORKERS": str(workers),
            "NGHEDAN_SENDERS": str(senders),
            "NGHEDAN_LOG_LEVEL": "WARNING",
            # A rehearsal has no night.
            "NGHEDAN_QUIET_HOURS": "00:00-00:00",
        }
        port = values["NGHEDAN_HTTP_PORT"]
        # Webhooks, as in production: the fakes post to this address.
        values["NGHEDAN_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        self.settings = _settings_from(values)
        self._supervisor = Supervisor(self.settings, environment={**os.environ, **values})
        self._thread = threading.Thread(target=self._supervisor.watch, daemon=True)
        self.kills: list[str] = []

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return f"http://127.0.0.1:{self.settings.http_port}"

    def prepare(self, *, say: Say) -> None:
        """Schema, units, models."""
        self._scratch.create()
        prepare(self.settings, say=say)

    def start(self) -> None:
        """Start the processes and their watch; returns when the whole chain answers."""
        self._supervisor.start()
        self._thread.start()
        end = time.monotonic() + _START_WITHIN_S
        while not self._supervisor.ready():
            broken = [child for child in self._supervisor.children if child.deaths >= _HOPELESS_AFTER]
            if broken or time.monotonic() > end:
                raise SystemDidNotStart(f"{[c.name for c in broken]}: see {self.settings.data_dir / 'logs'}")
            time.sleep(0.5)

    async def kill_in_turn(self, rng: random.Random, *, first_after_s: float, every_s: float) -> None:
        """SIGKILL every program once, in a random order, until cancelled."""
        names = [child.name for child in self._supervisor.children]
        rng.shuffle(names)
        await asyncio.sleep(first_after_s)
        for name in names:
            self.kill(name)
            await asyncio.sleep(every_s)

    def kill(self, name: str) -> None:
        """SIGKILL one process group; the supervisor starts it again."""
        child = next(child for child in self._supervisor.children if child.name == name)
        if child.process is not None and child.process.poll() is None:
            os.killpg(child.process.pid, signal.SIGKILL)
            self.kills.append(name)

    async def ready_again(self, *, within_s: float) -> bool:
        """Whether the whole chain answers within the time."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if await asyncio.to_thread(self._supervisor.ready):
                return True
            await asyncio.sleep(0.5)
        return False

    def stop(self) -> None:
        """Stop every process and remove what was made in somebody's database."""
        self._supervisor.request_stop()
        if self._thread.is_alive():
            self._thread.join(10)
        self._supervisor.stop()
        self._scratch.drop()


def _settings_from(values: Mapping[str, str]) -> Settings:
    fields = {
        name.removeprefix("NGHEDAN_").lower(): value
        for name, value in values.items()
        if name.startswith("NGHEDAN_")
    }
    known = {name: value for name, value in fields.items() if name in Settings.model_fields and value != ""}
    return Settings.model_validate(known)


class ScratchSchema:
    """A schema of its own inside a given PostgreSQL database, so that rehearsals never meet other data.

    For SQLite, and when no database is given, there is nothing to make or drop.
    """

    def __init__(self, database_url: str) -> None:
        self._server_url = Settings.model_validate({"database_url": database_url}).database_url
        self._name = ""
        self.url = self._server_url
        if self._server_url.startswith("postgresql"):
            self._name = f"nghedan_dien_tap_{uuid4().hex[:10]}"
            options = {"options": f"-csearch_path={self._name}"}
            self.url = (
                make_url(self._server_url).update_query_dict(options).render_as_string(hide_password=False)
            )

    def create(self) -> None:
        """Make the schema."""
        self._run(f'CREATE SCHEMA "{self._name}"')

    def drop(self) -> None:
        """Remove the schema with everything in it."""
        self._run(f'DROP SCHEMA IF EXISTS "{self._name}" CASCADE')

    def _run(self, statement: str) -> None:
        if not self._name:
            return
        engine = create_engine(self._server_url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

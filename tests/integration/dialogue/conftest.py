"""The real Rasa and the real actions, started once for all dialogue tests, over a fresh database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from rasa_sdk.endpoint import create_app

from actions.steps import make_executor
from bot.prepare import train_rasa
from core.clock import utc_now
from core.intake.turn import Services
from core.people import units
from core.people.units import UnitFacts
from core.sessions import lifecycle
from core.settings import Settings
from storage.database import Database
from storage.migrate import upgrade
from tests.factories.conversation import Talk
from tests.factories.plain_reader import BAC_HA, BAT_XAT, PlainReader
from tests.factories.servers import answers, free_port, serve, wait_until

ROOT = Path(__file__).parents[3]
TOKEN = "t" * 40
_PEOPLE = count(1)


@pytest.fixture(scope="session")
def dialogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, str]]:
    """Database and engine URL with both servers running."""
    folder = tmp_path_factory.mktemp("dialogue")
    train_rasa(say=lambda line: print(line, file=sys.stderr))
    settings = Settings(data_dir=folder, _env_file=None)
    upgrade(settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    with database.write() as session:
        units.seed(
            session,
            [
                UnitFacts("15", "Tỉnh Lào Cai", "tinh", None),
                *(UnitFacts(u.code, u.name, "Xã", "15") for u in (BAT_XAT, BAC_HA)),
            ],
        )
        now = utc_now()
        made = lifecycle.create(
            session,
            unit_code="15",
            title="Đối thoại quý IV",
            held_at=now + timedelta(days=20),
            collects_until=now + timedelta(days=10),
            now=now,
        )
        lifecycle.open_for_collecting(session, made.id)
    services = Services(database, settings, PlainReader(), utc_now)
    rasa_port, actions_port = free_port(), free_port()
    app = create_app(make_executor(services))
    app.config.TOUCHUP = False
    environment = {
        **os.environ,
        "NGHEDAN_RASA_TOKEN": TOKEN,
        "NGHEDAN_ACTIONS_URL": f"http://127.0.0.1:{actions_port}",
    }
    python = str(ROOT / "nlu" / ".venv" / "bin" / "python")
    log = (folder / "rasa.log").open("wb")
    with serve(app, actions_port):
        process = subprocess.Popen(
            [python, "nlu/serve.py", "--port", str(rasa_port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{rasa_port}"
            wait_until(lambda: answers(f"{url}/webhooks/nghedan/"), within_s=120, every_s=0.5)
            yield database, url
        finally:
            process.kill()
            process.wait()
            log.close()
            database.dispose()


@pytest.fixture
def new_person(dialogue: tuple[Database, str]) -> Callable[[], Talk]:
    """Makes people whom the bot has never met."""
    database, url = dialogue
    made: list[Talk] = []

    def make() -> Talk:
        made.append(Talk(database, url, TOKEN, f"person-{next(_PEOPLE)}"))
        return made[-1]

    return make


@pytest.fixture
def newcomer(new_person: Callable[[], Talk]) -> Talk:
    """A person at first contact."""
    return new_person()


@pytest.fixture
def known(new_person: Callable[[], Talk]) -> Talk:
    """A person who has consented and told the commune."""
    person = new_person()
    person.say("xin chào")
    person.say("1")
    person.say("bat xat")
    return person

"""Everything that must be there before the first start: schema, units, our models, Rasa's model."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from bot.conversation_jobs import ensure_schema
from bot.supervisor import ROOT
from core import doors
from core.clock import utc_now
from core.fields import FieldClassifier
from core.people import staff, units
from core.people.units import UnitFacts
from core.places import Gazetteer
from core.settings import Settings
from core.text.embedding import load_embedder
from core.topics import themes
from core.wording import STAFF
from storage.database import Database
from storage.migrate import upgrade

Say = Callable[[str], None]


class PreparationFailed(RuntimeError):
    """A step of the preparation did not succeed; the message says which, in Vietnamese."""


def prepare(settings: Settings, *, say: Say) -> None:
    """Do what is missing and nothing else; safe to repeat. Raises `PreparationFailed`."""
    prepare_app(settings, say=say)
    train_rasa(say=say)


def prepare_app(settings: Settings, *, say: Say) -> None:
    """The application's own part; Rasa may live on another machine. Raises `PreparationFailed`."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    say("Cơ sở dữ liệu: cập nhật lược đồ…")
    upgrade(settings.resolved_database_url)
    if settings.several_programs:
        _prepare_jobs(settings)
    added = seed_units(settings)
    if added:
        say(f"Đơn vị hành chính: đã thêm {added} đơn vị.")
    make_first_administrator(settings, say=say)
    ensure_models(settings, say=say)


def _prepare_jobs(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    try:
        ensure_schema(database)
    finally:
        database.dispose()


def seed_units(settings: Settings) -> int:
    """Put the province and its commune-level units into the database; returns how many were missing."""
    gazetteer = Gazetteer.load()
    province = gazetteer.province(settings.province_code)
    if province is None:
        raise PreparationFailed(f"Không có tỉnh mã {settings.province_code} (NGHEDAN_PROVINCE_CODE).")
    facts = [UnitFacts(province.code, province.full_name, "tinh", None)]
    facts += [
        UnitFacts(commune.code, commune.full_name, commune.kind, province.code)
        for commune in gazetteer.communes_of(province.code)
    ]
    database = Database(settings.resolved_database_url)
    try:
        with database.write() as session:
            return units.seed(session, facts)
    finally:
        database.dispose()


def make_first_administrator(settings: Settings, *, say: Say) -> None:
    """Whoever starts a new installation can enter its console: the one-time password is said once."""
    database = Database(settings.resolved_database_url)
    try:
        with database.write() as session:
            password = staff.first_administrator(session, unit_code=settings.province_code, now=utc_now())
    finally:
        database.dispose()
    if password is not None:
        say(STAFF.say("staff.administrator", login=staff.FIRST_LOGIN, password=password))


def ensure_models(settings: Settings, *, say: Say) -> None:
    """Build our own models where they are missing."""
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    fields = FieldClassifier.ensure(
        settings.models_dir, progress=say, embedder=load_embedder(settings.embedder)
    )
    themes.ensure(settings.models_dir, fields, say)
    doors.ensure(settings.models_dir, say)


def train_rasa(*, say: Say) -> None:
    """Train Rasa's model in its own environment unless its inputs are unchanged."""
    python = ROOT / "nlu" / ".venv" / "bin" / "python"
    if not python.exists():
        raise PreparationFailed("Chưa có môi trường Rasa (nlu/.venv). Chạy: make setup")
    process = subprocess.Popen(
        [str(python), "nlu/train.py"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    tail: list[str] = []
    for line in process.stderr:
        tail = [*tail[-20:], line.rstrip()]
        if line.startswith("Rasa:"):
            say(line.strip())
    if process.wait() != 0:
        raise PreparationFailed("Huấn luyện Rasa không thành công:\n" + "\n".join(tail))

"""The migrations on both databases: up, down, up again, equal to the models, and kind to old rows."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect, select, text

from storage.database import Database
from storage.migrate import config_for, downgrade, head_revision, upgrade
from storage.models import Base, Unit
from tests.factories.databases import postgresql_database

# SQLite cannot reflect PostgreSQL's index over words, and does not have it.
pytestmark = pytest.mark.filterwarnings("ignore:autogenerate skipping")

ROOT = Path(__file__).parents[3]
VERSIONS = ROOT / "storage" / "migrations" / "versions"


def _differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _names(database: Database) -> dict[str, set[str]]:
    """Every constraint and index by table, as the database itself reports it."""
    inspector = inspect(database.engine)
    return {
        table: {str(i["name"]) for i in inspector.get_indexes(table)}
        | {str(u["name"]) for u in inspector.get_unique_constraints(table)}
        | {str(f["name"]) for f in inspector.get_foreign_keys(table)}
        | {str(inspector.get_pk_constraint(table)["name"])}
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_up_down_and_up_again_equals_the_models(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    upgrade(empty_database_url)
    assert _differences(database) == []
    first = _names(database)
    downgrade(empty_database_url, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    upgrade(empty_database_url)
    assert _differences(database) == []
    assert _names(database) == first
    database.dispose()


def test_the_comparison_would_see_a_missing_column(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    database = Database(empty_database_url)
    with database.write() as session:
        session.execute(text("ALTER TABLE concern DROP COLUMN place_text"))
    assert any("place_text" in str(found) for found in _differences(database))
    database.dispose()


def test_migrated_schema_names_everything_as_the_models_would(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    migrated = Database(empty_database_url)
    by_migrations = _names(migrated)
    downgrade(empty_database_url, "base")
    Base.metadata.create_all(migrated.engine)
    assert _names(migrated) == by_migrations
    migrated.dispose()


@pytest.mark.parametrize(
    "revision", [s.revision for s in ScriptDirectory(str(VERSIONS.parent)).walk_revisions()]
)
def test_old_rows_survive_every_later_step_and_the_way_back(empty_database_url: str, revision: str) -> None:
    upgrade(empty_database_url, revision)
    _put_old_rows(empty_database_url)
    before = _rows(empty_database_url)
    upgrade(empty_database_url)
    after = _rows(empty_database_url)
    for table, rows in before.items():
        assert len(after[table]) == len(rows)
    database = Database(empty_database_url)
    with database.read() as session:
        unit = session.scalars(select(Unit)).one()
        assert (unit.code, unit.name, unit.profile) == ("15", "Tỉnh Lào Cai", {"ghi_chú": "cũ"})
    database.dispose()
    downgrade(empty_database_url, revision)
    assert _rows(empty_database_url) == before


def _put_old_rows(url: str) -> None:
    """A chain of rows of the first schema, written in plain SQL: the models of today may know more columns."""
    database = Database(url)
    at = datetime(2026, 5, 1, 2, 30, tzinfo=UTC)
    with database.write() as session:
        for statement in (
            "INSERT INTO unit (code, name, kind, profile)"
            " VALUES ('15', 'Tỉnh Lào Cai', 'tinh', '{\"ghi_chú\": \"cũ\"}')",
            "INSERT INTO citizen (id, unit_code, consent, wants_announcements, created_at)"
            " VALUES (1, '15', 'granted', true, :at)",
            "INSERT INTO contact (id, channel, account_id, external_id, citizen_id, reachable, dialogue, created_at)"
            " VALUES (1, 'telegram', 'a', 'p1', 1, true, '{}', :at)",
            "INSERT INTO concern (id, code, citizen_id, contact_id, unit_code, state, text, text_key, door,"
            " door_reasons, created_at) VALUES (1, 'LC-26-00001', 1, 1, '15', 'received', 'Cầu hỏng', 'k', 'normal',"
            " '[]', :at)",
            "INSERT INTO concern_event (id, concern_id, kind, at, actor, detail)"
            " VALUES (1, 1, 'submitted', :at, 'citizen', '{}')",
        ):
            session.execute(text(statement), {"at": at} if ":at" in statement else {})
    database.dispose()


def _rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = Database(url)
    reflected = MetaData()
    reflected.reflect(database.engine)
    with database.engine.connect() as connection:
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=str)
            for table in reflected.sorted_tables
            if table.name != "alembic_version"
        }
    database.dispose()
    return rows


def test_migrations_are_numbered_and_linear() -> None:
    files = sorted(p.stem for p in VERSIONS.glob("*.py") if p.stem != "__init__")
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+", name) for name in files)
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    scripts = ScriptDirectory.from_config(config_for("sqlite://"))
    assert len(scripts.get_heads()) == 1
    assert head_revision() == scripts.get_heads()[0]
    assert [s.revision for s in scripts.walk_revisions()] == [name[:4] for name in reversed(files)]


@pytest.mark.postgresql
@pytest.mark.slow
def test_programs_that_start_together_migrate_once() -> None:
    code = "import sys; from storage.migrate import upgrade; upgrade(sys.argv[1])"
    with postgresql_database() as url:
        programs = [subprocess.Popen([sys.executable, "-c", code, url], cwd=ROOT) for _ in range(3)]
        assert [program.wait(60) for program in programs] == [0, 0, 0]
        database = Database(url)
        assert _differences(database) == []
        database.dispose()

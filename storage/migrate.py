"""Run the Alembic migrations from code, so that a start-up needs no ini file and no shell."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

_FOLDER = Path(__file__).parent / "migrations"


def config_for(url: str) -> Config:
    """Alembic configuration for one database URL."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema up to `revision`; safe to call by several processes at once on PostgreSQL."""
    command.upgrade(config_for(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the schema down to `revision` (`base` removes everything)."""
    command.downgrade(config_for(url), revision)


def head_revision() -> str:
    """The one head; more than one is an error that a test catches in review."""
    head = ScriptDirectory.from_config(config_for("sqlite://")).get_current_head()
    if head is None:
        raise RuntimeError("no migrations found")
    return head

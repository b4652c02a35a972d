"""Build what the rules need, once per process, from the settings."""

from __future__ import annotations

from core.clock import utc_now
from core.intake.local_reader import LocalReader
from core.intake.turn import Services
from core.settings import Settings
from storage.database import Database


def make_services(settings: Settings) -> Services:
    """Database, understanding and clock for the dialogue's steps."""
    return Services(
        database=Database(settings.resolved_database_url),
        settings=settings,
        reader=LocalReader(settings),
        now=utc_now,
    )

"""Alembic environment: SQLite in batch mode, PostgreSQL under an advisory lock with a short lock time-out."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from storage.database import Database
from storage.models import Base

# Any constant: two programs that start together must not migrate at the same time.
_ADVISORY_LOCK = 7_239_001


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Connect to the URL given by `storage.migrate` and run what is asked."""
    database = Database(context.config.attributes["url"])
    try:
        with database.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
                connection.execute(text("SET lock_timeout = '5s'"))
                connection.commit()
            else:
                # A batch migration drops the old table: with foreign keys on, that deletes the rows which
                # refer to it. The driver's own connection, because inside a transaction this does nothing.
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            _run(connection)
            if connection.in_transaction():
                connection.commit()
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
                connection.commit()
    finally:
        database.dispose()


run_online()

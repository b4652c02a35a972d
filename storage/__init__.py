"""SQLAlchemy models, queries and Alembic migrations for SQLite and PostgreSQL; imports none of our rooms."""

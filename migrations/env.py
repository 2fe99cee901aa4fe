"""Runs migrations as the database's owner, one at a time (an advisory lock)."""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool, text

from app.config import read, settings

metadata = current_app.extensions["migrate"].db.metadata
_LOCK = 7_230_002


def run() -> None:
    url = read("DATABASE_OWNER_URL") or settings().database_url
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()

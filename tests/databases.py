"""Databases for tests: one migrated template, and clones of it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool, QueuePool

from tools.stack.roles import SUPERUSER
from tools.stack.stores import running_stores

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "template_zahlwerk"


@dataclass
class Databases:
    owner_url: URL
    app_url: URL
    redis_url: str

    @property
    def template_app_url(self) -> str:
        return _text(self.app_url.set(database=TEMPLATE))

    def create(self, name: str, template: str | None = TEMPLATE) -> None:
        self._maintain(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""))

    def drop(self, name: str) -> None:
        """Not WITH (FORCE): an autovacuum worker is no session that the owner may end; a plain DROP sends it away."""
        self._maintain(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND backend_type = 'client backend'",
            f'DROP DATABASE IF EXISTS "{name}"',
        )

    def urls(self, name: str) -> tuple[str, str]:
        """(app's, owner's) URL of a database."""
        return _text(self.app_url.set(database=name)), _text(self.owner_url.set(database=name))

    @contextmanager
    def fresh(self, application: Any) -> Iterator[str]:
        """Points the application at a new clone of the template for the time of the block."""
        from app.core.db import db

        name = f"test_{secrets.token_hex(6)}"
        self.create(name)
        engines = db._app_engines[application]
        before = engines[None]
        before.dispose()
        engines[None] = create_engine(
            self.app_url.set(database=name),
            poolclass=QueuePool,
            pool_size=40,
            max_overflow=0,
            pool_timeout=20,
            execution_options={"guarded": True},
        )
        try:
            yield self.urls(name)[0]
        finally:
            engines[None].dispose()
            engines[None] = before
            self.drop(name)

    def _maintain(self, *statements: str) -> None:
        engine = create_engine(self.owner_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


@contextmanager
def running_databases(home: Path) -> Iterator[Databases]:
    with running_stores(home) as stores:
        running = Databases(make_url(stores.owner_url), make_url(stores.app_url), stores.redis_url)
        _spare_the_disk(running)
        running.create(TEMPLATE, template=None)
        _migrate(running, TEMPLATE)
        yield running


def _spare_the_disk(running: Databases) -> None:
    """Tests kill processes, never the power: what lies in the system's memory is safe enough."""
    engine = create_engine(running.owner_url.set(username=SUPERUSER), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
            connection.execute(text(statement))


def _migrate(running: Databases, name: str) -> None:
    app_url, owner_url = running.urls(name)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": app_url, "DATABASE_OWNER_URL": owner_url, "REDIS_URL": running.redis_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)

"""Fixtures for the whole tree. Importing this file prepares the environment of the test process.

Stores are real (embedded PostgreSQL and Valkey). Each test module gets a database of its own, cloned
from a migrated template; within it tests really commit and keep apart by merchant, as customers do.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(tempfile.mkdtemp(prefix="zahlwerk-tests-"))
HOME.chmod(0o755)


def _write_keys(path: Path) -> None:
    def key() -> str:
        return base64.b64encode(os.urandom(32)).decode()

    path.write_text(json.dumps({"vault": {"1": key()}, "blind": key(), "seal": key(), "session": key(), "page": key()}))


_write_keys(HOME / "keys.json")
os.environ["ZAHLWERK_KEYS_FILE"] = str(HOME / "keys.json")
os.environ["ZAHLWERK_ENV"] = "test"
os.environ["DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:1/none"
os.environ["REDIS_URL"] = "redis://127.0.0.1:1"
os.environ.setdefault("PUBLIC_URL", "http://localhost:8700")
os.environ.setdefault("CHECKOUT_FORMS_PER_MINUTE", "100000")  # all tests send theirs from one address
os.environ.setdefault("HTTP_DEADLINE_SECONDS", "2")  # time-outs are tested for real, so they must not take long

from tests.acquirers import Acquirers, running_acquirers  # noqa: E402 - the environment comes first
from tests.browser import browser, browser_page  # noqa: E402, F401 - fixtures for browser tests
from tests.databases import Databases, running_databases  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _home_ends_with_the_tests() -> Iterator[None]:
    yield
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """pytest-flask would keep one app context for the whole test, and with it the login of another client."""


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Embedded PostgreSQL and Valkey with a migrated template database."""
    with running_databases(HOME / "stores") as running:
        yield running


@pytest.fixture(scope="session")
def acquirers() -> Iterator[Acquirers]:
    """The sandbox acquirers A to E, each a real process with its own journal."""
    with running_acquirers(HOME / "journals") as running:
        yield running


@pytest.fixture(scope="session")
def _application(databases: Databases):
    os.environ["REDIS_URL"] = databases.redis_url
    os.environ["DATABASE_URL"] = databases.template_app_url
    from app.config import settings

    settings.cache_clear()
    from wsgi import create_app

    application = create_app()
    application.config.update(TESTING=True)
    return application


@pytest.fixture(scope="module")
def app(_application, databases: Databases, request: pytest.FixtureRequest):
    """The application on a database of this module's own."""
    with databases.fresh(_application) as url:
        os.environ["DATABASE_URL"] = url
        yield _application


@pytest.fixture
def context(app) -> Iterator[None]:
    """An application context, for tests that call operations directly (not for those that use a client)."""
    with app.app_context():
        yield


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter on the repository and returns what it printed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

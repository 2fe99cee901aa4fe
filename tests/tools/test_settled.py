"""A warm start skips what is done, and nothing that is not."""

import json
import os
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from tests.databases import TEMPLATE, Databases
from tools.stack.settled import demo_is_there, newest_revision, tables_are_current

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "migrations" / "versions"
HERE = "http://localhost:8700"


@pytest.fixture
def owner_url(databases: Databases) -> str:
    return databases.urls(TEMPLATE)[1]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "demo.py").write_text("")
    os.utime(tmp_path / "sandbox" / "demo.py", (1_000_000, 1_000_000))
    return tmp_path


@pytest.fixture
def made(code: Path) -> Path:
    path = code / "demo-made.json"
    path.write_text(json.dumps({"api": {"url": f"{HERE}/v1"}}))
    return path


def test_the_newest_migration_is_the_one_alembic_names():
    assert newest_revision(VERSIONS) == ScriptDirectory(str(ROOT / "migrations")).get_current_head()


def test_migrated_tables_are_current_and_older_ones_are_not(owner_url, tmp_path):
    assert tables_are_current(owner_url, VERSIONS)
    for path in VERSIONS.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "later.py").write_text(f'revision = "later"\ndown_revision = "{newest_revision(VERSIONS)}"\n')
    assert not tables_are_current(owner_url, tmp_path)


def test_a_database_without_tables_is_not_current(databases):
    databases.create("nothing_in_it", template=None)
    try:
        assert not tables_are_current(databases.urls("nothing_in_it")[1], VERSIONS)
    finally:
        databases.drop("nothing_in_it")


def test_two_heads_are_left_to_alembic(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = None\n')
    assert newest_revision(tmp_path) is None


def test_demo_data_that_were_never_made_are_not_there(owner_url, code):
    assert not demo_is_there(owner_url, code / "demo-made.json", HERE, code)


def test_a_database_that_was_emptied_gets_its_demo_data_again(owner_url, code, made):
    assert not demo_is_there(owner_url, made, HERE, code)  # the template has no merchants


def test_demo_data_of_another_address_or_older_code_are_made_anew(app, databases, code, made, acquirers):
    from tests import factories

    with app.app_context():
        factories.tenant(acquirers["A"])
        name = app.extensions["sqlalchemy"].engine.url.database
    owner_url = databases.urls(name)[1]
    assert demo_is_there(owner_url, made, HERE, code)
    assert not demo_is_there(owner_url, made, "http://localhost:9000", code)
    os.utime(made, (999_999, 999_999))
    assert not demo_is_there(owner_url, made, HERE, code)

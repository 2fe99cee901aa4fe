"""The house is as the papers say: layers, shelves, migrations, and what the database guards."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, create_engine, text

from app.core.db import OfMerchant, db
from wsgi import open_rooms

ROOT = Path(__file__).resolve().parent.parent
SHELVES = (
    *("app/connectors", "app/risk/checks", "app/risk/steps", "app/methods", "app/approvals/actions"),
    *("app/messages/events", "app/api"),
    *("hosted_pages/pages", "admin/screens", "admin/charts", "admin/searches", "admin/reveals", "jobs"),
    "app/privacy/known",
)
# What carries a shelf, and the door for providers' notifications, which is no resource of /v1.
NOT_ON_THE_SHELF = {"kinds", "door", "run", "worker", "clock", "schedule", "pulse", "news"}
open_rooms()


def test_the_layer_list_names_every_folder_that_exists():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = {room.strip() for layer in contracts[0]["layers"] for room in layer.split("|")}
    rooms = {f"app.{path.parent.name}" for path in (ROOT / "app").glob("*/__init__.py")}
    doors = {name for name in ("admin", "hosted_pages", "jobs") if (ROOT / name / "__init__.py").exists()}
    assert listed == rooms | doors | {"app.config"}


def test_imports_go_down():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_product_never_imports_the_sandbox_or_the_tests():
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("app", "admin", "hosted_pages", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] in ("sandbox", "tests", "tools", "bench")
    ]
    assert wrong == []


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names


@pytest.mark.parametrize(
    "module",
    [path for shelf in SHELVES for path in sorted((ROOT / shelf).glob("[a-z]*.py"))],
    ids=lambda path: path.stem,
)
def test_every_module_on_a_shelf_shows_the_type_checker_its_shape(module):
    source = module.read_text()
    if module.stem in NOT_ON_THE_SHELF:
        return
    package = ".".join(module.relative_to(ROOT).parent.parts)
    shown = rf"if TYPE_CHECKING:\n(    .*\n)*    from {re.escape(package)} import {module.stem} as _me\n"
    assert re.search(shown, source), module
    assert re.search(r"\n    _\w*: \w+ = _me\n", source), module


def test_an_exception_from_a_security_rule_says_why():
    silent = [
        f"{path}:{number}"
        for path in subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).split()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), start=1)
        if re.search(r"noqa: S\d", line) and not re.search(r"noqa: S[\d, S]+ - \w", line)
    ]
    assert silent == []


def test_only_the_core_commits():
    commits = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("app", "admin", "hosted_pages", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"\.commit\(\)", line) and path != ROOT / "app/core/db.py"
    ]
    assert commits == [], "only core/db.py commits"


def test_only_the_ledger_writes_the_books():
    writers = [
        str(path.relative_to(ROOT))
        for folder in ("app", "admin", "hosted_pages", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        if path.parent != ROOT / "app/ledger"
        and re.search(r"INSERT INTO ledger_|insert\((Entry|Line|Account)\)", path.read_text())
    ]
    assert writers == []


def test_there_is_one_migration_head():
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "heads"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert len([line for line in done.stdout.splitlines() if "(head)" in line]) == 1, done.stdout + done.stderr


@pytest.fixture
def owner(app, databases):
    name = os.environ["DATABASE_URL"].split("/")[3].split("?")[0]
    engine = create_engine(databases.urls(name)[1])
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_models_are_what_the_migrations_make(app, databases):
    name = os.environ["DATABASE_URL"].split("/")[3].split("?")[0]
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DATABASE_OWNER_URL": databases.urls(name)[1]},
    )
    assert done.returncode == 0, done.stderr


def test_every_check_of_the_models_is_in_the_database(owner):
    present = {
        (row.table, row.name)
        for row in owner.execute(
            text("SELECT conrelid::regclass::text AS table, conname AS name FROM pg_constraint WHERE contype = 'c'")
        )
    }
    wanted = {
        (table.name, str(constraint.name))
        for table in db.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint) and constraint.name
    }
    assert wanted <= present, wanted - present


def test_every_check_says_the_same_in_models_and_database(owner):
    """A CHECK that was changed in a model and not in a migration is found by asking PostgreSQL about both."""
    for table in db.metadata.tables.values():
        for constraint in table.constraints:
            if not isinstance(constraint, CheckConstraint) or not constraint.name:
                continue
            migrated = owner.execute(
                text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
                {"name": str(constraint.name)},
            ).scalar_one()
            with owner.begin_nested() as savepoint:
                owner.execute(text(f'CREATE TEMP TABLE probe (LIKE "{table.name}" INCLUDING GENERATED)'))
                owner.execute(text(f"ALTER TABLE probe ADD CONSTRAINT probe CHECK ({constraint.sqltext})"))
                model = owner.execute(
                    text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'probe'")
                ).scalar_one()
                savepoint.rollback()
            assert model == migrated, constraint.name


def test_every_tenant_table_has_row_level_security(owner):
    tenant = {mapper.local_table.name for mapper in db.Model.registry.mappers if issubclass(mapper.class_, OfMerchant)}
    tenant |= {"merchants", "shops", "events", "event_details"}
    guarded = set(
        owner.execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
                " WHERE c.relrowsecurity AND p.polcmd = '*'"
            )
        ).scalars()
    )
    assert tenant <= guarded, tenant - guarded


def test_every_table_with_a_merchant_is_a_tenant_table(owner):
    with_merchant = {table.name for table in db.metadata.tables.values() if "merchant_id" in table.c}
    guarded = set(owner.execute(text("SELECT relname FROM pg_class WHERE relrowsecurity")).scalars())
    assert with_merchant <= guarded, with_merchant - guarded


APPEND_ONLY = (
    "event_log",
    "events",
    "inbox_facts",
    "ledger_accounts",
    "ledger_entries",
    "ledger_lines",
    "ledger_snapshots",
    "risk_decisions",
    "routing_decisions",
)


def test_the_application_may_add_to_history_and_nothing_else(owner):
    for table in APPEND_ONLY:
        for right, allowed in (
            ("SELECT", True),
            ("INSERT", True),
            ("UPDATE", False),
            ("DELETE", False),
            ("TRUNCATE", False),
        ):
            may = owner.execute(
                text("SELECT has_table_privilege('zahlwerk_app', :table, :right)"), {"table": table, "right": right}
            ).scalar_one()
            assert may is allowed, (table, right)


def test_the_application_role_is_no_superuser_and_owns_nothing(owner):
    role = owner.execute(
        text("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'zahlwerk_app'")
    ).one()
    assert not any(role)
    owned = owner.execute(
        text("SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = 'zahlwerk_app'")
    ).scalar_one()
    assert owned == 0


def test_the_application_may_use_every_table(owner):
    for table in db.metadata.tables:
        assert owner.execute(
            text("SELECT has_table_privilege('zahlwerk_app', :table, 'SELECT, INSERT')"), {"table": table}
        ).scalar_one(), table

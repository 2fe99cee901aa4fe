"""DATABASE_URL and REDIS_URL: servers of the operator's own, here Debian's PostgreSQL and Redis."""

import json
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.conftest import run_python
from tools.stack import lock
from tools.stack.accounts import account, dropped
from tools.stack.child import Child
from tools.stack.errors import StackError
from tools.stack.external import check_redis, database_urls
from tools.stack.keys import app_database_password
from tools.stack.places import scratch_home
from tools.stack.processes import Process, spawn, stop_together, wait_ready
from tools.stack.quiet import debian_postgres, debian_redis
from tools.stack.watch import Watch

DEBIAN, REDIS = debian_postgres(), debian_redis()
ADMIN_PASSWORD = "admin-of-the-test"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def url(port: int, user: str, password: str) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/shop"


def admin(port: int, statement: str, database: str = "shop") -> None:
    words = f"host=127.0.0.1 port={port} user=postgres password={ADMIN_PASSWORD} dbname={database}"
    with psycopg.connect(words, autocommit=True) as session:
        session.execute(statement)  # pyright: ignore


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Path, Watch]]:
    with scratch_home() as scratch:
        if owner := account():
            shutil.chown(scratch, owner.uid, owner.gid)
        watch = Watch(lock.take(scratch))
        yield scratch, watch
        watch.close()


@pytest.fixture(scope="module")
def debian(place: tuple[Path, Watch]) -> Iterator[int]:
    """The port of a throw-away cluster with password log-ins; a database `shop` and no more."""
    if not DEBIAN:
        pytest.skip("Debian's PostgreSQL is not installed: apt-get install postgresql")
    home, watch = place
    (home / "password").write_text(ADMIN_PASSWORD)
    (home / "password").chmod(0o644)
    initdb = [DEBIAN / "initdb", "-D", home / "data", "-U", "postgres", "-A", "scram-sha-256", "-N"]
    subprocess.run(
        [*initdb, f"--pwfile={home / 'password'}"], check=True, capture_output=True, cwd="/", **dropped(account())
    )
    port = free_port()
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", f"unix_socket_directories={home}"]
    server = Child(
        "debian", [DEBIAN / "postgres", "-D", home / "data", *options, "-c", "log_statement=all"],
        home / "debian.log", ready=lambda: answers(port), owner=account(),
    )  # fmt: skip
    process = running(server, watch)
    admin(port, "CREATE DATABASE shop", "postgres")
    yield port
    stop_together([(server, process)], watch, lambda: True)


def answers(port: int) -> bool:
    try:
        admin(port, "SELECT 1", "postgres")
    except psycopg.OperationalError:
        return False
    return True


def running(server: Child, watch: Watch) -> Process:
    process = spawn(server, watch)
    wait_ready(server, process, 30)
    return process


@pytest.fixture
def owner_login(debian: int) -> Iterator[int]:
    """The cluster with a login `house` that owns the database but may not create roles."""
    admin(debian, "CREATE ROLE house LOGIN PASSWORD 'h'")
    admin(debian, "ALTER DATABASE shop OWNER TO house")
    yield debian
    admin(debian, "ALTER DATABASE shop OWNER TO postgres")
    for role in ("zahlwerk_app", "house"):
        admin(
            debian, f"DO $$ BEGIN DROP OWNED BY {role}; DROP ROLE {role}; EXCEPTION WHEN undefined_object THEN END $$"
        )


def facts(app_url: str) -> tuple:
    with psycopg.connect(app_url.replace("+psycopg", "")) as session:
        row = session.execute("SELECT current_user::text, current_setting('lock_timeout')").fetchone()
        assert row is not None
        return row


def test_an_owner_that_may_create_roles_needs_no_administrator(owner_login: int, tmp_path: Path) -> None:
    admin(owner_login, "ALTER ROLE house CREATEROLE")
    given = url(owner_login, "house", "h")
    _, app_url = database_urls(given, tmp_path)
    assert facts(app_url) == ("zahlwerk_app", "3s")
    assert database_urls(given, tmp_path)[1] == app_url
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_the_password_reaches_no_server_log(owner_login: int, tmp_path: Path, place: tuple[Path, Watch]) -> None:
    admin(owner_login, "ALTER ROLE house CREATEROLE")
    _, app_url = database_urls(url(owner_login, "house", "h"), tmp_path)
    log = (place[0] / "debian.log").read_text()
    assert "CREATE ROLE" in log
    assert app_url.split(":")[2].split("@")[0] not in log


def test_without_that_right_the_sql_is_told_and_works(owner_login: int, tmp_path: Path) -> None:
    given = url(owner_login, "house", "h")
    with pytest.raises(StackError, match="CREATE ROLE zahlwerk_app LOGIN PASSWORD"):
        database_urls(given, tmp_path)
    admin(owner_login, "CREATE ROLE zahlwerk_app LOGIN PASSWORD 'other'")
    with pytest.raises(StackError, match="ALTER ROLE zahlwerk_app SET lock_timeout = '3s';") as told:
        database_urls(given, tmp_path)
    for statement in str(told.value).splitlines()[1:]:
        admin(owner_login, statement)
    with pytest.raises(StackError, match=r"(?s)password authentication failed.*ALTER ROLE zahlwerk_app PASSWORD"):
        database_urls(given, tmp_path)
    admin(owner_login, f"ALTER ROLE zahlwerk_app PASSWORD '{app_database_password(tmp_path)}'")
    assert facts(database_urls(given, tmp_path)[1]) == ("zahlwerk_app", "3s")


def test_an_application_role_above_row_security_is_refused(owner_login: int, tmp_path: Path) -> None:
    admin(owner_login, "CREATE ROLE zahlwerk_app LOGIN SUPERUSER")
    with pytest.raises(StackError, match="neither superuser nor BYPASSRLS"):
        database_urls(url(owner_login, "house", "h"), tmp_path)


def test_wrong_addresses_are_told_without_their_password(debian: int, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"no connection to .*house:\*\*\*@") as told:
        database_urls(url(debian, "house", "s3cret"), tmp_path)
    assert "s3cret" not in str(told.value)
    with pytest.raises(StackError, match="must be a PostgreSQL server"):
        database_urls("sqlite:///x.db", tmp_path)


def test_where_no_server_is_it_is_said() -> None:
    with pytest.raises(StackError, match="REDIS_URL does not lead to a Redis server"):
        check_redis(f"redis://127.0.0.1:{free_port()}/0")


@pytest.fixture(scope="module")
def redis_url(place: tuple[Path, Watch]) -> Iterator[str]:
    """Debian's Redis."""
    if not REDIS:
        pytest.skip("Debian's Redis is not installed: apt-get install redis-server")
    home, watch = place
    port = free_port()
    address = f"redis://127.0.0.1:{port}/0"
    server = Child("redis", [REDIS, "--port", str(port), "--save", ""], home / "redis.log", owner=account())
    process = running(replace(server, ready=lambda: redis_answers(address)), watch)
    yield address
    stop_together([(server, process)], watch, lambda: True)


def test_on_them_the_tables_are_made_and_a_payment_is_made(owner_login: int, redis_url: str, tmp_path: Path) -> None:
    """PostgreSQL 15 and Redis, as Debian has them: migrated by the owner, used by the application's own role."""
    admin(owner_login, "ALTER ROLE house CREATEROLE")
    owner_url, app_url = database_urls(url(owner_login, "house", "h"), tmp_path)
    environment = {"DATABASE_URL": app_url, "REDIS_URL": redis_url}
    migrated = run_python("-m", "flask", "--app", "wsgi", "db", "upgrade", **environment, DATABASE_OWNER_URL=owner_url)
    assert migrated.returncode == 0, migrated.stderr
    paid = run_python("-m", "tests.tools.pay_once", str(tmp_path / "journals"), **environment)
    assert paid.returncode == 0, paid.stderr
    found = json.loads(paid.stdout.splitlines()[-1])
    assert (found["http"], found["status"], found["captured"]) == (201, "captured", 10_000)
    assert {"payment.created", "authorisation.succeeded", "capture.succeeded"} <= set(found["told"])
    assert found["booked"] and sum(found["booked"].values()) == 0
    assert found["proofs"] == {}
    assert found["woken"] > 0, "Redis was told that there is work"


def redis_answers(address: str) -> bool:
    try:
        check_redis(address)
    except StackError:
        return False
    return True

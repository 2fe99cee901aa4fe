"""The embedded servers: two roles, private sockets, and no way to lose them or leave them behind."""

import os
import shlex
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from tests.tools.programs import Program, alive, descendants, until
from tools.stack.accounts import account, is_root
from tools.stack.errors import AlreadyRunning, StackError
from tools.stack.places import prepare_home, scratch_home
from tools.stack.stores import Stores, running_stores

Start = Callable[..., Program]


def connect(url: str, database: str | None = None) -> psycopg.Connection:
    _, words = make_url(url).get_dialect()().create_connect_args(make_url(url))
    return psycopg.connect(**{**words, "dbname": database or words["dbname"]}, autocommit=True)


def write_marks(stores: Stores) -> None:
    with connect(stores.owner_url) as session:
        session.execute("DROP TABLE IF EXISTS mark")
        session.execute("CREATE TABLE mark AS SELECT 7 AS value")
    redis.Redis.from_url(stores.redis_url).set("mark", 7)


def assert_marks(stores: Stores) -> None:
    with connect(stores.owner_url) as session:
        assert session.execute("SELECT value FROM mark").fetchone() == (7,)
    assert redis.Redis.from_url(stores.redis_url).get("mark") == b"7"


@pytest.fixture(scope="module")
def stores():
    with running_stores() as running:
        yield running


@pytest.fixture(scope="module")
def used_home():
    """One home for tests that start and stop the servers: making a database takes a second."""
    with scratch_home() as scratch:
        yield scratch


def test_the_application_has_a_plain_role_with_limits(stores: Stores) -> None:
    with connect(stores.app_url) as session:
        rights = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert session.execute(rights).fetchone() == (False, False, False, False)
        shown = [session.execute(f"SHOW {name}").fetchone() for name in ("lock_timeout", "statement_timeout")]
        assert shown == [("3s",), ("15s",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TABLE forbidden (id int)")


def test_the_owner_creates_tables_and_clones_databases_but_is_no_superuser(stores: Stores) -> None:
    with connect(stores.owner_url, "postgres") as session:
        session.execute("CREATE DATABASE copy TEMPLATE zahlwerk")
        session.execute("DROP DATABASE copy")
        assert session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_only_the_account_of_the_stores_can_reach_them(stores: Stores) -> None:
    sockets = Path(make_url(stores.owner_url).query["host"])  # pyright: ignore
    for directory in (sockets, stores.home / "pg", stores.home / "valkey", stores.home / "log"):
        found = directory.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700, directory
        assert found.st_uid == (owner.uid if (owner := account()) else os.geteuid())
    with connect(stores.owner_url) as session:
        assert session.execute("SHOW listen_addresses").fetchone() == ("",)


def test_what_is_written_survives_a_restart(used_home: Path) -> None:
    with running_stores(used_home) as first:
        write_marks(first)
    with running_stores(used_home) as second:
        assert_marks(second)


def test_names_with_blanks_and_long_names_work(home: Path) -> None:
    place = home / "two words" / ("x" * 120)
    with running_stores(place) as stores:
        assert " " not in stores.redis_url
        write_marks(stores)
        assert_marks(stores)


def test_a_second_start_is_refused_by_name(used_home: Path) -> None:
    with (
        running_stores(used_home),
        pytest.raises(AlreadyRunning, match=rf"already running in .* \(pid {os.getpid()}\)"),
    ):
        with running_stores(used_home):
            pass


def test_a_killed_owner_leaves_nothing_alive_and_loses_nothing(used_home: Path, start: Start) -> None:
    program = start("tools.stack", "stores", "--home", used_home)
    program.says("REDIS_URL=")
    write_marks(read_exports(program.text(), used_home))
    below = descendants(program.pid)
    assert len(below) > 5
    program.signal(signal.SIGKILL)
    program.ended()
    until(lambda: not alive(below), 5)
    with running_stores(used_home) as stores:
        assert_marks(stores)


def read_exports(text: str, home: Path) -> Stores:
    """What `eval "$(python -m tools.stack stores)"` would give a shell."""
    words = dict(line.split("=", 1) for line in shlex.split(text) if line != "export")
    return Stores(words["DATABASE_OWNER_URL"], words["DATABASE_URL"], words["REDIS_URL"], 0, 0, home)


def test_a_signal_ends_the_command_cleanly(used_home: Path, start: Start) -> None:
    program = start("tools.stack", "stores", "--home", used_home)
    program.says("REDIS_URL=")
    program.signal(signal.SIGTERM)
    assert program.ended() == 0
    assert not (used_home / "pg" / "postmaster.pid").exists()


def test_leftovers_of_a_power_failure_are_no_obstacle(used_home: Path) -> None:
    with running_stores(used_home):
        pass
    (used_home / "pg.init").mkdir()
    # An empty file, and one that names a living process of somebody else.
    for text in ("", f"{os.getpid()}\n{used_home}/pg\n"):
        (used_home / "pg" / "postmaster.pid").write_text(text)
        with running_stores(used_home):
            pass


def test_a_directory_of_another_version_is_left_alone(home: Path) -> None:
    prepare_home(home, account())
    (home / "pg").mkdir(mode=0o700)
    (home / "pg" / "PG_VERSION").write_text("12\n")
    with pytest.raises(StackError, match=r"made by PostgreSQL 12, but this is \d+: set ZAHLWERK_PG_BIN"):
        with running_stores(home):
            pass


@pytest.mark.skipif(not is_root(), reason="only root could give it away")
def test_a_directory_with_other_things_is_not_given_away(home: Path) -> None:
    (home / "letters").touch()
    with pytest.raises(StackError, match="holds other things already"):
        prepare_home(home, account())
    assert home.stat().st_uid == 0


@pytest.mark.skipif(not is_root(), reason="only root can become a user id without a name")
def test_a_user_id_without_a_name_is_told_what_to_do() -> None:
    pid = os.fork()
    if pid == 0:
        os.setuid(54321)
        try:
            account()
        except StackError as problem:
            os._exit(0 if "set DATABASE_URL" in str(problem) else 2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

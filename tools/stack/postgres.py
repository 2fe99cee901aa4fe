"""The embedded PostgreSQL: its directory and its start.

Trust authentication is safe here and only here: there is no TCP, and the socket lies in a 0700
directory that only the account of the stack (and root) can enter.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL

from tools.stack import guard
from tools.stack.accounts import Account, dropped
from tools.stack.binaries import PostgresBinaries
from tools.stack.child import Child
from tools.stack.errors import StackError
from tools.stack.places import private_dir
from tools.stack.processes import dies_with
from tools.stack.roles import DATABASE, SUPERUSER, provision

PORT = "5432"  # Only part of the socket's name; said everywhere so that $PGPORT cannot matter.

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
    # Neither statements nor offending rows in the log: both can hold personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Postgres:
    """One data directory `<home>/pg`, reached through `<sockets>/.s.PGSQL.5432`."""

    home: Path
    sockets: Path
    binaries: PostgresBinaries
    owner: Account | None

    @property
    def data(self) -> Path:
        return self.home / "pg"

    def child(self) -> Child:
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        return Child(
            name="postgres",
            argv=[self.binaries.directory / "postgres", "-D", self.data, *options],
            env=_plain_environment(),
            log=self.home / "log" / "postgres.log",
            # SIGINT is the fast shutdown; SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            # SIGQUIT drops all backends at once; the log of changes mends the rest at the next start.
            firm_signal=signal.SIGQUIT,
            stop_seconds=60,
            ready=self.answers,
            prepare=self.prepare,
            owner=self.owner,
        )

    def prepare(self) -> None:
        """Make the data directory fit for a start. Raises StackError for another version's."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        major = int((self.data / "PG_VERSION").read_text().split(".")[0])
        if major != self.binaries.major:
            raise StackError(
                f"{self.data} was made by PostgreSQL {major}, but this is "
                f"{self.binaries.major}: set ZAHLWERK_PG_BIN to the bin directory of version "
                f"{major} and dump it, or move the directory away and start afresh."
            )
        self._clear_the_way()

    def _initialise(self) -> None:
        # Into a directory of its own, then renamed: a half-made one is never taken for whole.
        unfinished = self.home / "pg.init"
        shutil.rmtree(unfinished, ignore_errors=True)
        private_dir(unfinished, self.owner)
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        if self.binaries.major < 17:
            locale = ["--locale=C.UTF-8"]
        done = subprocess.run(
            [self.binaries.directory / "initdb", "-D", unfinished, "-U", SUPERUSER,
             "--auth=trust", "--encoding=UTF8", "--no-instructions", "--data-checksums", *locale],
            capture_output=True, text=True, check=False, cwd="/", env=_plain_environment(),
            start_new_session=True, preexec_fn=dies_with(os.getpid(), signal.SIGKILL), **dropped(self.owner),
        )  # fmt: skip
        if done.returncode:
            raise StackError(f"initdb failed:\n{done.stdout}{done.stderr}")
        unfinished.rename(self.data)

    def _clear_the_way(self) -> None:
        """Remove a stale postmaster.pid once nobody works in the data directory any more.

        PostgreSQL believes the number in it whenever any process of ours has it by chance (usual
        in containers), and it refuses an empty file, which a power failure may leave.
        """
        if not Path("/proc/self/cwd").exists():
            return
        deadline = time.monotonic() + 10
        while left := self.backends():
            number = signal.SIGQUIT if time.monotonic() < deadline else signal.SIGKILL
            for pid in left:
                guard.tell(pid, number)
            time.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def backends(self) -> list[int]:
        """Processes that work in the data directory: PostgreSQL's have it as current directory."""
        data = str(self.data.resolve())
        return [row.pid for row in guard.process_table() if _current_directory(row.pid) == data]

    def connect(self, role: str, database: str) -> psycopg.Connection:
        """A connection in autocommit mode. Raises psycopg.OperationalError."""
        return psycopg.connect(
            host=str(self.sockets), port=PORT, user=role, dbname=database,
            autocommit=True, connect_timeout=3,
        )  # fmt: skip

    def answers(self) -> bool:
        try:
            self.connect(SUPERUSER, "postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def provision(self) -> None:
        """Create what is missing of roles and database. Repeatable."""
        with self.connect(SUPERUSER, "postgres") as session:
            provision(session)

    def url(self, role: str) -> str:
        query = {"host": str(self.sockets), "port": PORT}
        url = URL.create("postgresql+psycopg", username=role, database=DATABASE, query=query)
        return url.render_as_string(hide_password=False)


def _plain_environment() -> dict[str, str]:
    """Ours without PG*, which would steer server and tools behind our back."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**kept, "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def _current_directory(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None

"""PostgreSQL and Valkey for as long as a `with` block lasts: for tests, benches and the curious."""

import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.stack import lock
from tools.stack.accounts import Account, account
from tools.stack.binaries import postgres_binaries, valkey_binary
from tools.stack.child import Child
from tools.stack.places import leave_socket_dir, prepare_home, scratch_home, socket_dir
from tools.stack.postgres import Postgres
from tools.stack.processes import Process, spawn, stop_together, wait_ready
from tools.stack.roles import APP_ROLE, OWNER_ROLE
from tools.stack.valkey import Valkey
from tools.stack.watch import Watch


@dataclass(frozen=True)
class Stores:
    """Two running servers.

    `owner_url` migrates and may create databases; `app_url` is the plain role of the application.
    The process ids are those of the start; `home` holds data, sockets and logs.
    """

    owner_url: str
    app_url: str
    redis_url: str
    postgres_pid: int
    valkey_pid: int
    home: Path

    def exports(self) -> str:
        """Three lines for a shell's eval."""
        pairs = {
            "DATABASE_OWNER_URL": self.owner_url,
            "DATABASE_URL": self.app_url,
            "REDIS_URL": self.redis_url,
        }
        return "\n".join(f"export {name}={shlex.quote(url)}" for name, url in pairs.items())


@contextmanager
def running_stores(home: Path | None = None) -> Iterator[Stores]:
    """Start both servers in `home` (None: a scratch one, removed afterwards); stop them at the end.

    Call it from the main thread. If this process is killed, its guard ends the servers. As root
    the servers run as the account `zahlwerk`, which must be able to reach the home: pytest's
    tmp_path is closed to it, `None` and `places.scratch_home()` are not. Raises StackError.
    """
    with ExitStack() as exits:
        home = (home or exits.enter_context(scratch_home())).resolve()
        owner = account()
        prepare_home(home, owner)
        held = lock.take(home, owner)
        exits.callback(os.close, held)
        exits.callback(leave_socket_dir, home, socket_dir(home, owner))
        watch = Watch(held)
        exits.callback(watch.close)
        postgres = embedded_postgres(home, owner)
        valkey = embedded_valkey(home, owner)
        children = [postgres.child(), valkey.child()]
        processes = [_started(child, watch, exits) for child in children]
        for child, process in zip(children, processes, strict=True):
            wait_ready(child, process)
        postgres.provision()
        yield Stores(
            postgres.url(OWNER_ROLE), postgres.url(APP_ROLE), valkey.url,
            processes[0].pid, processes[1].pid, home,
        )  # fmt: skip


def _started(child: Child, watch: Watch, exits: ExitStack) -> Process:
    process = spawn(child, watch)
    exits.callback(stop_together, [(child, process)], watch, hurry=lambda: False)
    return process


def embedded_postgres(home: Path, owner: Account | None) -> Postgres:
    return Postgres(home, socket_dir(home, owner), postgres_binaries(owner), owner)


def embedded_valkey(home: Path, owner: Account | None) -> Valkey:
    return Valkey(home, socket_dir(home, owner), valkey_binary(owner), owner)

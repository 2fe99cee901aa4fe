"""A handle on the running product: its addresses, its processes, its database, its sandbox."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from tools.stack.accounts import is_root
from tools.stack.places import scratch_home, shared_root

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_SECONDS = 300  # the first start installs a Python for the service account


@dataclass
class Stack:
    """`clone`: the copy of the repository that it was started in."""

    home: Path
    port: int
    clone: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    def acquirer_url(self, letter: str) -> str:
        return f"http://127.0.0.1:{self.port + 2 + 'ABCDE'.index(letter)}"

    def journal(self, letter: str) -> Path:
        return self.home / "journals" / f"{letter}.jsonl"

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads((self.home / "stack.json").read_text())

    @property
    def demo(self) -> dict[str, Any]:
        return json.loads((self.home / "demo.json").read_text())

    def shop(self, slug: str) -> dict[str, str]:
        return next(shop for shop in self.demo["shops"] if shop["slug"] == slug)

    def pid(self, child: str) -> int | None:
        return self.facts["children"].get(child)

    def owner(self) -> Engine:
        """A connection that row-level security does not bind, for looking and for holding locks."""
        return create_engine(self.facts["database_owner_url"], poolclass=NullPool)

    def kill(self, child: str) -> None:
        """SIGKILL to a child and all its processes; waits until the supervisor has started it anew."""
        before = self.pid(child)
        assert before, f"{child} is not running"
        os.killpg(before, signal.SIGKILL)
        wait_until(lambda: self.pid(child) not in (None, before), 60, f"{child} starts again")

    def wait_ready(self) -> None:
        wait_until(lambda: self.get("/readyz")[0] == 200, 60, "the product is ready")

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        return call("GET", self.url + path, None, headers)

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> tuple[int, bytes]:
        return call("POST", self.url + path, body, headers)


def call(
    method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], timeout: float = 20
) -> tuple[int, bytes]:
    """(status, body); status 0 when there was no answer."""
    request = Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
        method=method,
    )
    try:
        with urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def wait_until(true: Callable[[], Any], seconds: float, what: str) -> Any:
    """Asks again and again until it is true. Returns what it was then."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = true()
        except (OSError, ValueError, KeyError):
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@contextmanager
def running_stack() -> Iterator[Stack]:
    with scratch_home() as scratch, _closed_clone() as clone:
        home = scratch / "home"
        port = _free_ports(8)
        log = (scratch / "run.log").open("w+")
        command = [
            *(sys.executable, "-m", "tools.stack", "run", "--port", str(port), "--home", str(home), "--with-parent"),
            *("--published", str(home / "demo.json")),
        ]
        environment = {name: value for name, value in os.environ.items() if name not in _OURS}
        process = subprocess.Popen(command, cwd=clone, env=environment, stdout=log, stderr=log, text=True)
        stack = Stack(home, port, clone)
        try:
            deadline = time.monotonic() + STARTS_WITHIN_SECONDS
            while not _is_ready(stack):
                assert process.poll() is None and time.monotonic() < deadline, (scratch / "run.log").read_text()[-4000:]
                time.sleep(0.2)
            yield stack
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()


@contextmanager
def _closed_clone() -> Iterator[Path]:
    """A copy of the repository in a directory that only its owner can enter, as a clone in root's home is."""
    with TemporaryDirectory(prefix="zahlwerk-closed-") as closed:
        assert Path(closed).stat().st_mode & 0o777 == 0o700
        clone = Path(closed) / "zahlwerk"
        shutil.copytree(ROOT, clone, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_CLONED))
        try:
            yield clone
        finally:
            if is_root():
                shutil.rmtree(shared_root(clone), ignore_errors=True)  # the code that was copied for the account


_NOT_CLONED = (".*", "var", "__pycache__", "tests", "docs", "node_modules")
# Set by tests/conftest.py for the processes of other tests.
_OURS = {"DATABASE_URL", "REDIS_URL", "ZAHLWERK_KEYS_FILE", "ZAHLWERK_ENV", "PUBLIC_URL", "HTTP_DEADLINE_SECONDS"}


def _is_ready(stack: Stack) -> bool:
    try:
        return bool(stack.facts.get("ready")) and stack.get("/readyz")[0] == 200
    except (OSError, ValueError):
        return False


def _free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    for first in range(18_000 + os.getpid() % 1000 * 8, 60_000, count):
        probes = []
        try:
            for port in range(first, first + count):
                probes.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")

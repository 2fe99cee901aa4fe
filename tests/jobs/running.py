"""Workers, clocks and a Valkey as real processes, for tests that kill them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from tools.stack.binaries import valkey_binary

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Processes:
    """Starts programs of the product in the database of this test's module, and ends them all."""

    folder: Path
    redis_url: str
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, queue: str) -> subprocess.Popen[bytes]:
        return self._start("worker_ready", "jobs.worker", queue)

    def clock(self) -> subprocess.Popen[bytes]:
        return self._start("clock_ready", "jobs.clock")

    def log(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def _start(self, ready: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self.started)}-{module}.log"
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, "REDIS_URL": self.redis_url},
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.started.append(process)
        eventually(lambda: ready in log.read_text() or process.poll() is not None, 30)
        assert process.poll() is None, log.read_text()
        return process


@contextmanager
def running_processes(folder: Path, redis_url: str) -> Iterator[Processes]:
    processes = Processes(folder, redis_url)
    try:
        yield processes
    finally:
        for process in processes.started:
            process.kill()
            process.wait(10)


@dataclass
class Valkey:
    """A server of the test's own, which may be killed and started again; it keeps an append-only file."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes")
        self.process = subprocess.Popen([str(valkey_binary(None)), *words, "--save", ""], stdout=subprocess.DEVNULL)
        eventually(self.answers, 10)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=2)


@contextmanager
def running_valkey(folder: Path) -> Iterator[Valkey]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    valkey = Valkey(folder, port)
    with ExitStack() as exits:
        exits.callback(lambda: valkey.process and valkey.process.kill())
        valkey.start()
        yield valkey


def eventually(holds: Callable[[], Any], seconds: float) -> float:
    """Waits until something holds and returns how long that took. Fails after `seconds`."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - begun

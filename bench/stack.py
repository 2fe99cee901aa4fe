"""What the benchmarks run against: the product's real processes on stores of their own, on loopback."""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.stack.stores import Stores, running_stores  # noqa: E402


@dataclass
class Running:
    """One stack. `environment` is what further processes of it need."""

    port: int
    stores: Stores
    environment: dict[str, str]
    processes: ExitStack
    logs: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """One more process; it ends with the stack. Its output goes to a log file."""
        log = (self.logs / f"{name}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log, text=True
        )
        self.processes.callback(_stop, process)
        return process

    def start_web(self) -> None:
        self.start(
            "web", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "64", "--no-ws",
            "--respawn-failed-workers", "--workers-kill-timeout", "5", "--host", "127.0.0.1",
            "--port", str(self.port), "wsgi:app",
        )  # fmt: skip
        wait_for(f"{self.url}/readyz")

    def start_workers(self) -> None:
        self.start("deliveries", "jobs.worker", "deliveries")
        self.start("default", "jobs.worker", "default")
        self.start("clock", "jobs.clock")

    def start_acquirer(self, letter: str = "A") -> str:
        port = free_port()
        journal = str(self.logs / f"{letter}.jsonl")
        self.start(f"acquirer-{letter}", "sandbox.acquirers", letter, "--port", str(port), "--journal", journal)
        wait_for(f"http://127.0.0.1:{port}/control")
        return f"http://127.0.0.1:{port}"


@contextmanager
def running(**environment: str) -> Iterator[Running]:
    """Stores, keys and a migrated database; the caller starts what it measures."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zahlwerk-bench-")))
        stores = stack.enter_context(running_stores())
        _write_keys(logs / "keys.json")
        port = free_port()
        values = {
            **os.environ,
            "DATABASE_URL": stores.app_url,
            "REDIS_URL": stores.redis_url,
            "ZAHLWERK_KEYS_FILE": str(logs / "keys.json"),
            "ZAHLWERK_ENV": "demo",
            "PUBLIC_URL": f"http://localhost:{port}",
            "API_REQUESTS_PER_MINUTE": "10000000",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        os.environ.update(values)
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
            cwd=ROOT,
            env={**values, "DATABASE_OWNER_URL": stores.owner_url},
            check=True,
            capture_output=True,
        )
        processes = stack.enter_context(ExitStack())
        yield Running(port, stores, values, processes, logs)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urlopen(url, timeout=2).close()
            return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def post(url: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    with urlopen(request, timeout=15) as answer:
        content = answer.read()
    return json.loads(content) if content else {}


def _write_keys(path: Path) -> None:
    names = ("blind", "seal", "session", "page")
    keys = {name: base64.b64encode(os.urandom(32)).decode() for name in names}
    path.write_text(json.dumps({"vault": {"1": base64.b64encode(os.urandom(32)).decode()}, **keys}))


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

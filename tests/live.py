"""The real web application under granian, against the database of the test module, for browsers and kill tests.

    with live.serving() as site:
        page.goto(site.checkout(checkout_id))

The module's `app` fixture must be in use: it points DATABASE_URL at the module's own database.
"""

import ctypes
import http.client
import http.server
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app.payments import checkout

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40


@dataclass(frozen=True)
class Site:
    """`url`: http://localhost:PORT, without a slash at the end. `log`: everything the server wrote."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def checkout(self, checkout_id: UUID, *, embed: bool = False) -> str:
        """The link of a checkout, on this site."""
        return f"{self.url}/pay/{checkout.token(checkout_id)}" + ("?embed=1" if embed else "")


@contextmanager
def serving(log: Path, *, port: int | None = None, workers: int = 1, **environment: str) -> Iterator[Site]:
    """The application in processes of its own. `environment` is added to that of the tests."""
    port = port or free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(workers), "--blocking-threads", "32"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "3", "wsgi:app"),
    ]
    told = {**os.environ, "PUBLIC_URL": f"http://localhost:{port}", **environment}
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, env=told, stdout=sink, stderr=sink, start_new_session=True, preexec_fn=_die_with_parent
        )
    try:
        _wait_until_it_answers(port, process, log)
        yield Site(f"http://localhost:{port}", port, process, log)
    finally:
        _end(process)


@contextmanager
def pages(content: Mapping[str, str], port: int = 0) -> Iterator[str]:
    """A site of somebody else on http://127.0.0.1:PORT (yielded): path -> HTML. For pages that embed a checkout."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html = content.get(self.path.partition("?")[0])
            body = (html or "not here").encode()
            self.send_response(204 if self.path == "/favicon.ico" else 200 if html is not None else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with listening(Handler, port) as taken:
        yield f"http://127.0.0.1:{taken}"


@contextmanager
def listening(handler: type[http.server.BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    """A small HTTP server on loopback with that handler. Yields its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port to be used later: below those that the system hands out by itself, so that none of them takes it."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Asks /healthz until it answers: granian listens before its worker has loaded the application."""
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            threading.Event().wait(0.05)  # not listening yet; there is nothing to wait on but the port itself
        finally:
            connection.close()
    raise AssertionError(f"no answer within {START_SECONDS} s: {log.read_text(errors='replace')[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks it to stop; what is left of its session after that (it may miss a signal while starting) is killed."""
    process.terminate()
    try:
        process.wait(6)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(5)


def _die_with_parent() -> None:
    """Tests that are killed leave no server behind (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)

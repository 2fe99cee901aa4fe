"""Runs a real acquirer process for tests, and a receiver for its notifications."""

import json
import os
import queue
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from app.connectors.kinds import Contract
from sandbox.acquirers import journal

REPOSITORY = Path(__file__).resolve().parents[2]
API_KEY = "api-key-for-tests-mKq8Zr2v"
NEWS_SECRET = "news-secret-for-tests-Tw6nXc4p"


class RunningAcquirer:
    """`url` is where it listens; the port stays the same over a restart."""

    def __init__(self, letter: str, journal_path: Path) -> None:
        self.letter = letter
        self.journal_path = journal_path
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "sandbox.acquirers", self.letter]
        self._process = subprocess.Popen(
            [*command, "--port", port, "--journal", str(self.journal_path)],
            cwd=REPOSITORY,
            env={**os.environ, "ACQUIRER_API_KEY": API_KEY, "ACQUIRER_NEWS_SECRET": NEWS_SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        first_line = self._process.stdout.readline()
        assert " listens on " in first_line, first_line
        self.url = first_line.split()[-1]

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        assert self._process
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def contract(self, id: str = "ct_1", **changed: str) -> Contract:
        settings = {"url": self.url, "api_key": API_KEY, "news_secret": NEWS_SECRET, **changed}
        return Contract(id=id, provider="sandbox_card", live=False, settings=settings)

    def control(self, **wanted: object) -> dict[str, Any]:
        status, shown = self.request("POST", "/control", wanted)
        assert status == 200, shown
        return shown

    def run_now(self) -> int:
        """Everything the acquirer would do later, at once. Returns how many things it did."""
        return self.request("POST", "/control/run_now", {})[1]["done"]

    def dispute(self, authorisation: str, turn: str) -> tuple[int, Any]:
        return self.request("POST", "/control/dispute", {"authorisation": authorisation, "turn": turn})

    def request(
        self, method: str, path: str, body: object = None, *, key: str = "", seconds: float = 10
    ) -> tuple[int, Any]:
        """Status and the decoded answer. Raises TimeoutError, or ConnectionError when the line is cut."""
        headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json", "Idempotency-Key": key}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, _decoded(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, _decoded(refused)

    def done(self) -> list[tuple[str, int, str]]:
        """What the journal says about money: word, minor units, operation key."""
        return [(line["done"], line["amount"], line["key"]) for line in journal.money(self.journal_path)]


def _decoded(answer: HTTPResponse | urllib.error.HTTPError) -> Any:
    body = answer.read()
    form = answer.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    return dict(parse_qsl(body.decode())) if form else json.loads(body)


@contextmanager
def running(letter: str, folder: Path) -> Iterator[RunningAcquirer]:
    acquirer = RunningAcquirer(letter, folder / f"{letter}.jsonl")
    acquirer.start()
    try:
        yield acquirer
    finally:
        acquirer.kill()


@dataclass
class Receiver:
    """Takes notifications and keeps them: headers and body. `refuse` is how many to answer with 500 first."""

    url: str = ""
    refuse: int = 0
    received: "queue.Queue[tuple[dict[str, str], bytes]]" = field(default_factory=queue.Queue)

    def next(self) -> tuple[dict[str, str], bytes]:
        return self.received.get(timeout=20)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            refused = receiver.refuse > 0
            receiver.refuse -= refused
            self.send_response(500 if refused else 204)
            self.end_headers()
            if not refused:
                receiver.received.put((dict(self.headers), body))

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

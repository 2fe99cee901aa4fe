"""Real servers on loopback for the length of a test."""

import json
import queue
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, request
from werkzeug.serving import make_server


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """-> the address, without a slash at the end."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True  # a stand-in that hangs on purpose must not hold up the end of the test
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post_json(url: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})) as answer:
        return json.load(answer)


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


@dataclass
class Caught:
    """Notifications that arrived at `url`."""

    url: str = ""
    inbox: "queue.Queue[tuple[dict[str, str], bytes]]" = field(default_factory=queue.Queue)
    answer_with: int = 200

    def next(self) -> tuple[dict[str, str], bytes]:
        """The next one: headers with lower-case names, and the body. Raises queue.Empty after ten seconds."""
        return self.inbox.get(timeout=10)


@contextmanager
def catcher() -> Iterator[Caught]:
    app, caught = Flask("catcher"), Caught()

    @app.post("/")
    def take() -> tuple[str, int]:
        if caught.answer_with == 200:
            caught.inbox.put(({name.lower(): value for name, value in request.headers.items()}, request.get_data()))
        return "", caught.answer_with

    with served(app) as url:
        caught.url = url + "/"
        yield caught

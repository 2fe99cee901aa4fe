"""The product is told to stop in the middle of its work: what is under way is finished, nothing new is begun, in time.

Web, workers and clock are those of tools/stack/children.py, under its supervisor, with real payments and webhooks.
"""

import http.client
import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core import queue
from app.core.db import ALL, reading
from tests import factories, live
from tests.messages.receiving import running_receiver
from tests.messages.steps import endpoint, happen, nothing_waits, relay_all, waiting
from tests.tools.programs import TinyStack, until
from tools.stack.children import Addresses, children

ROOT = Path(__file__).resolve().parents[2]
PAYMENTS = 6
SLOW_MS = 8_000  # longer than it takes until the web server is told to stop, and told again
TOLD = ("capture.pending", "refund.pending")
CARD = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2031, "security_code": "123"}


@dataclass
class Answered:
    status: int
    body: dict[str, Any]
    at: float


@pytest.fixture
def receiver():
    with running_receiver() as running:
        yield running


@pytest.fixture
def tenant(app, context, acquirers):
    relay_all()
    nothing_waits()
    queue.connection().flushdb()
    return factories.tenant(acquirers["A"])


@pytest.fixture
def running(app, databases, stack, home, tenant) -> tuple[TinyStack, int]:
    """The product under its supervisor, on this module's database. Yields it and its port."""
    port = live.free_port()
    url = os.environ["DATABASE_URL"]
    keys = Path(os.environ["ZAHLWERK_KEYS_FILE"])
    at = Addresses(port, home, ROOT, url, url, databases.redis_url, keys)
    wanted = {"web", "worker-1", "worker-2", "clock"}
    started = stack([_entry(child) for child in children(at) if child.name in wanted]).ready()
    until(lambda: _get(port, "/readyz") == 200, 60)
    until(lambda: all("ready" in _log(home, name) for name in wanted - {"web"}), 60)
    return started, port


def _entry(child: Any) -> dict[str, Any]:
    kept = ("name", "group", "stop_seconds", "stop_again_seconds")
    environment = {**child.env, "HTTP_DEADLINE_SECONDS": "10", "ZAHLWERK_ENV": "test", "DATABASE_POOL_SIZE": "4"}
    return {name: getattr(child, name) for name in kept} | {
        "argv": [str(word) for word in child.argv],
        "env": environment,
        "cwd": str(child.cwd),
    }


def _log(home: Path, name: str) -> str:
    file = home / "log" / f"{name}.log"
    return file.read_text() if file.exists() else ""


def _get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _pay(port: int, tenant: factories.Tenant, number: int) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    order = {"amount": 1_000 + number, "currency": "EUR", "merchant_reference": f"stop-{number}", "capture": "manual"}
    body = json.dumps({**order, "payment_method": {"type": "card", "card": CARD}})
    headers = {**tenant.headers, "Content-Type": "application/json", "Idempotency-Key": f"stop-{number}"}
    connection.request("POST", "/v1/payments", body, headers)
    answer = connection.getresponse()
    return Answered(answer.status, json.loads(answer.read()), time.monotonic())


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.timeout(240)
def test_everything_under_way_is_finished_and_nothing_new_is_begun(running, tenant, acquirers, receiver):
    stack, port = running
    release = threading.Event()
    receiver.answers["/hook"] = lambda _: 204 if release.wait(20) else 500
    endpoint(tenant.merchant_id, f"{receiver.url}/hook", *TOLD)
    happen(tenant.merchant_id, *TOLD, payment_id=uuid4())
    receiver.wait_for("/hook", 1, seconds=30)  # the worker is in the middle of a delivery, and another one waits
    acquirer = acquirers["A"]
    already = len(acquirer.did(done="authorised"))
    before = acquirer.control(latency_ms=SLOW_MS)["requests"]
    stopped = time.monotonic()
    stack.signal(signal.SIGTERM)
    try:
        stack.says("stopping worker-1, worker-2")
        with ThreadPoolExecutor(PAYMENTS) as pool:
            paying = [pool.submit(_pay, port, tenant, number) for number in range(PAYMENTS)]
            until(lambda: acquirer.control()["requests"] >= before + PAYMENTS, 20)
            release.set()  # the workers end, and the web server is told while it waits for the acquirer
            closed = _closed_at(port, paying)
            answers = [future.result(60) for future in paying]
        assert stack.ended(60) == 0, stack.text()
    finally:
        acquirer.control(latency_ms=0)
    assert time.monotonic() - stopped < 40
    assert {(answer.status, answer.body["status"]) for answer in answers} == {(201, "authorised")}
    assert closed is not None and closed < max(answer.at for answer in answers), "it took new requests until the end"
    _nothing_is_half_done(tenant)
    authorised = [line["amount"] for line in acquirer.did(done="authorised")[already:]]
    assert sorted(authorised) == [1_000 + number for number in range(PAYMENTS)]
    # The delivery under way was finished and written down; the one behind it was not begun.
    assert [one.event["type"] for one in receiver.at("/hook")] == ["capture.pending"]
    first, second, *_ = waiting(tenant.merchant_id)
    assert (first["state"], second["state"], second["attempts"]) == ("delivered", "pending", 0)
    assert "SIGKILL" not in stack.text() and "starting it again" not in stack.text()


def _closed_at(port: int, paying: list["Future[Answered]"]) -> float | None:
    """When the door was first found closed, while somebody inside was still being served."""
    while not all(future.done() for future in paying):
        if not _takes_connections(port):
            return time.monotonic()
        time.sleep(0.05)
    return None


def _nothing_is_half_done(tenant: factories.Tenant) -> None:
    with reading(ALL) as connection:
        states = connection.execute(
            text("SELECT state, count(*) FROM operations WHERE merchant_id = :id GROUP BY 1"),
            {"id": tenant.merchant_id},
        ).all()
    assert [tuple(row) for row in states] == [("succeeded", PAYMENTS)]

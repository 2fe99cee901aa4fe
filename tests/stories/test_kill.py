"""Kill anything at any point of authorise, capture and refund: nothing is charged twice, nothing is lost.

Real processes, SIGKILL, real PostgreSQL and Valkey under the product's own supervisor. A client repeats
each request with the same Idempotency-Key until its answer is final. In the end our operations equal,
one to one, what the acquirer wrote into its own journal.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from app.core.ids import parse_id, public_id
from app.ledger.proof import prove
from app.payments.proofs import PROOFS
from tests.stories.stack import Stack, call, wait_until

SHOP = "cafe-morgenrot"
pytestmark = pytest.mark.timeout(900)  # a killed process holds its lease for a minute
CARD = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2034, "security_code": "123"}
CASES = [
    *itertools.product(("authorise", "capture", "refund"), ("prepare", "call", "record"), ("web",)),
    *(("authorise", "record", "postgres"), ("capture", "call", "postgres"), ("refund", "prepare", "postgres")),
    *(("authorise", "call", "worker-2"), ("capture", "record", "worker-2"), ("refund", "call", "valkey")),
]


class Client:
    """A merchant's program: it repeats until it knows."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._key = stack.shop(SHOP)["api_key"]

    def until_final(self, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Sends the same request under the same key until its outcome is known."""
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": key}
            status, answer = self._stack.post(path, body, **headers)
            if status in (200, 201, 202):
                found = json.loads(answer)
                if found["status"] not in ("created", "pending", "submitted", "unknown", "requires_action"):
                    return found
            elif status in (400, 401, 403, 404, 422):
                raise AssertionError(f"{path}: {status} {answer!r}")
            time.sleep(0.5)
        raise AssertionError(f"{path} was not final in time")

    def authorise(self, reference: str) -> dict[str, Any]:
        body = {
            "amount": 2_000,
            "currency": "EUR",
            "merchant_reference": reference,
            "capture": "manual",
            "payment_method": {"type": "card", "card": CARD},
        }
        return self.until_final("/v1/payments", body, f"{reference}-authorise")

    def capture(self, payment: str, reference: str) -> dict[str, Any]:
        return self.until_final(f"/v1/payments/{payment}/captures", {}, f"{reference}-capture")

    def refund(self, payment: str, reference: str) -> dict[str, Any]:
        return self.until_final(f"/v1/payments/{payment}/refunds", {"amount": 700}, f"{reference}-refund")


@pytest.fixture(scope="module")
def killed(stack) -> Iterator[list[tuple[str, str]]]:
    """Runs every case. Yields (reference, payment id) of each, all of them final."""
    client = Client(stack)
    references = [f"kill-{number}-{'-'.join(case)}" for number, case in enumerate(CASES)]
    with ThreadPoolExecutor(len(CASES)) as pool:
        payments = list(pool.map(partial(_prepared, client), references, [verb for verb, _, _ in CASES]))
        running = [
            _killed(stack, client, pool, reference, payment, *case)
            for reference, payment, case in zip(references, payments, CASES, strict=True)
        ]
        finished = [future.result(300) for future in running]
    yield list(zip(references, finished, strict=True))


def _prepared(client: Client, reference: str, verb: str) -> str | None:
    """A payment on which `verb` is the next thing to do; None where that is to make one."""
    if verb == "authorise":
        return None
    payment = client.authorise(reference)["id"]
    if verb == "refund":
        client.capture(payment, reference)
    return payment


def _killed(
    stack: Stack,
    client: Client,
    pool: ThreadPoolExecutor,
    reference: str,
    payment: str | None,
    verb: str,
    point: str,
    victim: str,
) -> "Future[str]":
    """Starts `verb` and kills the victim at `point`; the client goes on by itself."""
    stack.wait_ready()

    def act() -> str:
        if payment is None:
            return client.authorise(reference)["id"]
        getattr(client, verb)(payment, reference)
        return payment

    with _held_at(stack, point, reference) as reached:
        future = pool.submit(act)
        reached()
        stack.kill(victim)
    return future


@contextmanager
def _held_at(stack: Stack, point: str, reference: str) -> Iterator[Callable[[], None]]:
    """Makes the next operation stop at a named point. Yields what waits until it has got there.

    prepare: its transaction waits at its last INSERT, before the commit; call: the acquirer takes its
    time; record: the transaction that writes the answer down waits for the payment's row.
    """
    if point == "call":
        with _slow_acquirer(stack, 1_500):
            before = _received(stack)
            yield lambda: wait_until(lambda: _received(stack) > before, 20, "the acquirer is called")
        return
    engine = stack.owner()
    connection = engine.connect()
    try:
        if point == "prepare":
            connection.execute(text("LOCK TABLE events IN SHARE MODE"))
            yield lambda: _until_somebody_waits(stack)
        else:
            with _slow_acquirer(stack, 800):
                before = _received(stack)

                def reached() -> None:
                    wait_until(lambda: _received(stack) > before, 20, "the acquirer is called")
                    connection.execute(
                        text("SELECT 1 FROM payments WHERE merchant_reference = :reference FOR UPDATE"),
                        {"reference": reference},
                    )
                    _until_somebody_waits(stack)

                yield reached
    finally:
        with _ignoring_a_dead_server():
            connection.close()
        engine.dispose()


@contextmanager
def _slow_acquirer(stack: Stack, milliseconds: int) -> Iterator[None]:
    url = stack.acquirer_url("A") + "/control"
    call("POST", url, {"latency_ms": milliseconds}, {})
    try:
        yield
    finally:
        call("POST", url, {"latency_ms": 0}, {})


def _received(stack: Stack) -> int:
    """How many requests the acquirer has read."""
    shown = json.loads(call("GET", stack.acquirer_url("A") + "/control", None, {})[1])
    return shown["requests"]


def _until_somebody_waits(stack: Stack) -> None:
    engine = stack.owner()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_until(lambda: watcher.execute(waiting).scalar_one() > 0, 20, "the operation waits at its point")
    engine.dispose()


@contextmanager
def _ignoring_a_dead_server() -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError:
        pass  # PostgreSQL was the victim


def test_every_operation_came_to_an_end(stack, killed):
    with stack.owner().connect() as connection:
        states = connection.execute(
            text(
                "SELECT p.merchant_reference, o.kind, o.state FROM operations o JOIN payments p ON p.id = o.payment_id"
                " WHERE p.merchant_reference LIKE 'kill-%'"
            )
        ).all()
    assert {row.state for row in states} <= {"succeeded", "failed", "declined"}
    done = {(row.merchant_reference, row.kind) for row in states if row.state == "succeeded"}
    for (verb, point, victim), (reference, _) in zip(CASES, killed, strict=True):
        assert (reference, "authorise") in done, (verb, point, victim)
        if verb == "refund":
            assert (reference, "capture") in done


def test_our_operations_equal_the_acquirers_own_journal(stack, killed):
    journal = {
        (line["done"], line["key"]): line["amount"]
        for letter in "AB"
        for line in map(json.loads, stack.journal(letter).read_text().splitlines())
        if line.get("done") in ("authorised", "captured", "refunded")
    }
    words = {"authorise": "authorised", "capture": "captured", "refund": "refunded"}
    with stack.owner().connect() as connection:
        rows = connection.execute(
            text(
                "SELECT o.id, o.kind, o.state, o.booked_amount FROM operations o JOIN payments p ON p.id = o.payment_id"
                " WHERE p.merchant_reference LIKE 'kill-%' AND o.kind IN ('authorise', 'capture', 'refund')"
            )
        ).all()
    ours = {(words[row.kind], public_id("op", row.id)): row.booked_amount for row in rows if row.state == "succeeded"}
    keys = {public_id("op", row.id) for row in rows}
    theirs = {key: amount for key, amount in journal.items() if key[1] in keys}
    assert ours == theirs
    assert len(ours) >= len(CASES)


def test_nothing_was_charged_twice(stack, killed):
    with stack.owner().connect() as connection:
        doubles = connection.execute(
            text(
                "SELECT merchant_reference, count(*), max(authorised), max(captured) FROM payments"
                " WHERE merchant_reference LIKE 'kill-%' GROUP BY merchant_reference"
                " HAVING count(*) > 1 OR max(authorised) > 2000 OR max(captured) > 2000 OR max(refunded) > 700"
            )
        ).all()
    assert doubles == []


def test_the_books_hold(stack, killed):
    with stack.owner().connect() as connection:
        assert prove(connection, PROOFS) == {}


def test_every_event_was_delivered(stack, killed):
    ids = [parse_id("pay", payment) for _, payment in killed]
    query = text(
        "SELECT count(*) FROM events e WHERE e.payment_id = ANY (:ids) AND e.audience = 'public' AND NOT EXISTS"
        " (SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.state = 'delivered')"
    )
    engine = stack.owner()

    def missing() -> int:
        with engine.connect() as connection:
            return connection.execute(query, {"ids": ids}).scalar_one()

    wait_until(lambda: missing() == 0, 90, "every public event is delivered")
    caught = json.loads(call("GET", f"{stack.sandbox_url}/webhooks/messages.json?name={SHOP}&limit=1000", None, {})[1])
    of_ours = [message for message in caught if any(payment in message["body"] for _, payment in killed)]
    assert of_ours
    assert all(message["verified"] for message in of_ours)

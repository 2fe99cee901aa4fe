"""Two hosts work for one product, and one of them dies under load: nothing is charged twice, nothing is lost.

Each host is a network namespace with a web server, two workers and a clock; they share PostgreSQL, Redis and no
disk. A balancer hands out requests in turn, programs of the merchant repeat what had no answer under the same
Idempotency-Key, and in the middle of it the second host loses its power.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import Client

from app.core import queue
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.ledger.proof import prove
from app.payments import checkout
from app.payments.proofs import PROOFS
from tests import factories
from tests.acquirers import RunningAcquirer
from tests.admin.desk import Desk, user
from tests.hosted_pages.payer import CARD, Payer
from tests.messages.receiving import Receiver, running_receiver
from tests.messages.steps import endpoint, nothing_waits, relay_all
from tests.stories.hosts import Balancer, Host, missing, reachable, two_hosts
from tests.stories.stack import wait_until

PUBLIC_URL = "http://localhost:8700"
PROGRAMS = 4
ORDERS = 12  # of each program
DIES_AFTER = 14  # orders are done
LASTS_SECONDS = 150  # a killed process holds its lease for a minute
FINAL = {"succeeded", "authorised", "captured", "refunded", "partially_refunded", "partially_captured"}
TOLD = ("authorisation.succeeded", "capture.succeeded", "refund.succeeded")
pytestmark = pytest.mark.timeout(400)


@dataclass
class Pair:
    """The two hosts, before one of them dies."""

    hosts: list[Host]
    balancer: Balancer
    tenant: factories.Tenant
    acquirer: RunningAcquirer
    receiver: Receiver
    secret: str

    def browser(self) -> Client:
        return Client(self.balancer)


@pytest.fixture(scope="module")
def pair(app, databases, acquirers, tmp_path_factory) -> Iterator[Pair]:
    if reason := missing():
        pytest.skip(reason)
    with app.app_context(), running_receiver() as receiver:
        relay_all()
        nothing_waits()
        queue.connection().flushdb()
        acquirer = replace(acquirers["A"], url=reachable(acquirers["A"].url))
        shared = [os.environ["DATABASE_URL"], databases.redis_url, acquirers["A"].url, receiver.url]
        environment = {
            **os.environ,
            "DATABASE_URL": reachable(os.environ["DATABASE_URL"]),
            "REDIS_URL": reachable(databases.redis_url),
            "PUBLIC_URL": PUBLIC_URL,
            "HTTP_DEADLINE_SECONDS": "5",
            "DATABASE_POOL_SIZE": "6",
        }
        with two_hosts(tmp_path_factory.mktemp("hosts"), shared, environment) as hosts:
            tenant = factories.tenant(acquirer)
            _, secret = endpoint(tenant.merchant_id, reachable(receiver.url) + "/hook", *TOLD)
            yield Pair(hosts, Balancer(hosts), tenant, acquirer, receiver, secret)


@pytest.fixture(scope="module")
def desk(pair) -> Desk:
    """Somebody of the staff who logged in while both hosts were there."""
    address = user("support")
    desk = Desk(pair.browser())
    assert desk.log_in(address).status == 200
    return desk


@pytest.fixture(scope="module")
def half_paid(pair, desk) -> tuple[Payer, Any, Any]:
    """A payer with the form of a checkout in front of them: (payer, page, checkout's id)."""
    payer = Payer(pair.browser())  # type: ignore[arg-type]
    opened = _opened(pair)
    return payer, payer.open(_link(opened)), opened


def _opened(pair: Pair) -> Any:
    order = factories.an_order(4_990)
    terms: dict[str, Any] = {"merchant_id": pair.tenant.merchant_id, "live": False, "actor": "test"}
    return checkout.open_checkout(order, **terms, places_order=True, language="de").checkout["id"]


def _link(checkout_id: Any) -> str:
    return f"/pay/{checkout.token(checkout_id)}"


def _status(checkout_id: Any) -> str:
    return checkout.read(checkout_id).payment["status"]


def test_what_was_begun_on_one_host_goes_on_at_the_other(pair, desk):
    """Each request of a visitor is answered by the host whose turn it is; nobody notices."""
    before = Counter(pair.balancer.answered)
    assert [desk.open("/admin/payments/").path for _ in range(4)] == ["/admin/payments/"] * 4
    payer = Payer(pair.browser())  # type: ignore[arg-type]
    opened = _opened(pair)
    payer.fill_in(payer.open(_link(opened)), CARD)
    assert _status(opened) == "authorised"
    assert min((pair.balancer.answered - before)[host.name] for host in pair.hosts) >= 3


@dataclass
class Afterwards:
    """What the merchant's programs were told in the end: order -> the payment's id."""

    payments: dict[str, str]
    answered_before: Counter[str]


@pytest.fixture(scope="module")
def afterwards(pair, half_paid) -> Afterwards:
    """The load, and the death of a host in the middle of it."""
    done = threading.Semaphore(0)
    ends = time.monotonic() + LASTS_SECONDS

    def program(number: int) -> dict[str, str]:
        mine = {}
        for order in range(ORDERS):
            reference = f"hosts-{number}-{order}"
            mine[reference] = _ordered(pair, reference, ends)
            done.release()
        return mine

    with ThreadPoolExecutor(PROGRAMS) as pool:
        running = [pool.submit(program, number) for number in range(PROGRAMS)]
        for _ in range(DIES_AFTER):
            assert done.acquire(timeout=60), [host.said() for host in pair.hosts]
        answered = Counter(pair.balancer.answered)
        before = pair.acquirer.control(latency_ms=1_500)["requests"]
        # Every program waits in a call, so one of them at least through the host that dies.
        wait_until(lambda: pair.acquirer.control()["requests"] >= before + PROGRAMS, 20, "calls are under way")
        pair.hosts[1].die()
        pair.acquirer.control(latency_ms=0)
        payments = {reference: id for future in running for reference, id in future.result(300).items()}
    return Afterwards(payments, answered)


def _ordered(pair: Pair, reference: str, ends: float) -> str:
    """Authorises, captures and gives a part back, as a merchant's program would. Returns the payment's id."""
    order = {"amount": 2_000, "currency": "EUR", "merchant_reference": reference, "capture": "manual"}
    card = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2034, "security_code": "123"}
    body = {**order, "payment_method": {"type": "card", "card": card}}
    payment = _until_final(pair, "/v1/payments", body, f"{reference}-authorise", ends)["id"]
    _until_final(pair, f"/v1/payments/{payment}/captures", {}, f"{reference}-capture", ends)
    _until_final(pair, f"/v1/payments/{payment}/refunds", {"amount": 700}, f"{reference}-refund", ends)
    return payment


def _until_final(pair: Pair, path: str, body: dict[str, Any], key: str, ends: float) -> dict[str, Any]:
    """Sends the same request under the same key until its outcome is known."""
    headers = {**pair.tenant.headers, "Idempotency-Key": key}
    while True:
        answer = pair.browser().post(path, json=body, headers=headers)
        if answer.status_code in (200, 201, 202) and answer.json["status"] in FINAL:
            return answer.json
        assert answer.status_code not in (400, 401, 403, 404, 422), answer.text
        assert time.monotonic() < ends, f"{path} was not final in time: {answer.status_code} {answer.text}"
        threading.Event().wait(0.3)


def test_both_hosts_worked_and_one_is_gone(pair, afterwards):
    assert set(afterwards.answered_before) == {host.name for host in pair.hosts}
    assert min(afterwards.answered_before.values()) > DIES_AFTER
    assert pair.balancer.cut_off > 0, "it died in the middle of nothing"
    assert all(program.poll() is not None for program in pair.hosts[1].programs)
    assert all(program.poll() is None for program in pair.hosts[0].programs)
    assert len(afterwards.payments) == PROGRAMS * ORDERS


def test_every_order_was_done_exactly_once(pair, afterwards):
    with reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT * FROM payments WHERE merchant_reference LIKE 'hosts-%' ORDER BY merchant_reference")
        ).mappings()
        found = {row["merchant_reference"]: row for row in rows}
    assert {reference: public_id("pay", row["id"]) for reference, row in found.items()} == afterwards.payments
    assert {(row["authorised"], row["captured"], row["refunded"]) for row in found.values()} == {(2_000, 2_000, 700)}


def test_our_operations_equal_the_acquirers_own_journal(pair, afterwards):
    with reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT id, kind, state, booked_amount FROM operations WHERE merchant_id = :id"),
            {"id": pair.tenant.merchant_id},
        ).all()
    assert {row.state for row in rows} <= {"succeeded", "failed"}  # nothing is left open
    words = {"authorise": "authorised", "capture": "captured", "refund": "refunded"}
    ours = {(words[row.kind], public_id("op", row.id)): row.booked_amount for row in rows if row.state == "succeeded"}
    keys = {public_id("op", row.id) for row in rows}
    theirs = [line for line in pair.acquirer.did() if line.get("key") in keys and line.get("done") in words.values()]
    assert {(line["done"], line["key"]): line["amount"] for line in theirs} == ours
    assert len(theirs) == len(ours) >= 3 * len(afterwards.payments)


def test_the_books_hold(afterwards):
    with atomic(ALL) as connection:
        assert prove(connection, PROOFS) == {}


def test_the_surviving_host_told_the_merchant_everything(pair, afterwards):
    missing_ones = text(
        "SELECT count(*) FROM events e WHERE e.merchant_id = :id AND e.name = ANY (:told) AND NOT EXISTS"
        " (SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.state = 'delivered')"
    )

    def all_delivered() -> bool:
        with reading(ALL) as connection:
            sought = {"id": pair.tenant.merchant_id, "told": list(TOLD)}
            return connection.execute(missing_ones, sought).scalar_one() == 0

    wait_until(all_delivered, 100, "every event is delivered")
    received = pair.receiver.at("/hook")
    assert all(one.verified(pair.secret) for one in received)
    heard = {(one.event["type"], json.dumps(one.event["data"], sort_keys=True)) for one in received}
    for word in TOLD:
        assert len([1 for name, _ in heard if name == word]) >= len(afterwards.payments), word


def test_visitors_go_on_at_the_host_that_is_left(pair, desk, half_paid, afterwards):
    pair.balancer.hosts = pair.hosts[:1]  # as its health check would by now
    page = desk.open("/admin/payments/")
    assert page.path == "/admin/payments/" and "hosts-0-" in page.text
    payer, form, opened = half_paid
    payer.fill_in(form, CARD)
    assert _status(opened) == "authorised"

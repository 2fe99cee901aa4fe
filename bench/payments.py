"""Authorise + capture through the HTTP API: how many payments per second, and how near to the floor.

In one run, on one machine: the product (web, delivery workers, sandbox acquirer), which delivers webhooks while it is
measured; `pgbench` running the plain SQL of both steps (floor.sql); and `localstripe` doing create + confirm + capture.
The last line printed is JSON. `--seconds N` sets the length of each measurement, `--profile` says where the CPU goes.
"""

import argparse
import contextlib
import json
import sys
import threading
import time
import uuid
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import load
from bench.floor import floor_per_second
from bench.merchant import Merchant, open_merchant
from bench.peer import localstripe_per_second
from bench.receiver import Receiver
from bench.stack import Running, post, running
from bench.where import cpu_seconds

CARD = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2034, "security_code": "123"}
CONCURRENCY = 6
WARM_SECONDS = 3


def unit(key: str) -> load.Unit:
    """One payment: authorise and capture, each with an idempotency key, as merchants are told to."""

    async def pay(connection: load.Connection, number: int) -> None:
        headers = f"Authorization: Bearer {key}\r\nIdempotency-Key: {uuid.uuid4()}\r\n"
        body = {
            "amount": 1_999,
            "currency": "EUR",
            "merchant_reference": f"bench-{number}",
            "capture": "manual",
            "payment_method": {"type": "card", "card": CARD},
            "payer": {"name": "Erika Muster", "email": f"erika{number}@example.org"},
        }
        status, answer = await connection.call("POST", "/v1/payments", json.dumps(body).encode(), headers)
        payment = load.expect(status, answer, 201)
        assert payment["status"] == "authorised", payment
        headers = f"Authorization: Bearer {key}\r\nIdempotency-Key: {uuid.uuid4()}\r\n"
        status, answer = await connection.call("POST", f"/v1/payments/{payment['id']}/captures", b"{}", headers)
        capture = load.expect(status, answer, 201)
        assert capture["status"] == "succeeded", capture

    return pay


def page_while_an_acquirer_hangs(stack: Running, merchant: Merchant, acquirer: str) -> float:
    """The slowest answer of /healthz and the checkout page while all calls to the acquirer hang, ms."""
    post(f"{acquirer}/control", {"hang": True})
    stop = threading.Event()
    lanes = threading.Thread(target=_press, args=(stack, merchant, stop), daemon=True)
    lanes.start()
    time.sleep(1.5)  # until the calls hang
    slowest = 0.0
    for _ in range(20):
        for path in ("/healthz", merchant.checkout_path):
            begun = time.perf_counter()
            with contextlib.closing(urlopen(stack.url + path, timeout=20)) as answer:
                answer.read()
            slowest = max(slowest, time.perf_counter() - begun)
        time.sleep(0.05)
    stop.set()
    post(f"{acquirer}/control", {"hang": False})
    lanes.join(30)
    return slowest * 1000


def _press(stack: Running, merchant: Merchant, stop: threading.Event) -> None:
    while not stop.is_set():
        load.run(stack.url, unit(merchant.key), concurrency=64, seconds=1)


def measure(seconds: float) -> dict[str, float | int]:
    with running() as stack, Receiver() as receiver:
        acquirer = stack.start_acquirer()
        stack.start_web()
        stack.start_workers()
        merchant = open_merchant(stack, acquirer, receiver.url)
        receiver.wait_for_one()  # the checkout that was opened is told: the workers are there
        print("product: warming up, then measuring", flush=True)
        told, pay = receiver.count, unit(merchant.key)
        product = load.run(stack.url, pay, concurrency=CONCURRENCY, seconds=seconds, warm_seconds=WARM_SECONDS)
        delivered = receiver.count - told
        assert delivered, "nothing was delivered while the product was measured"
        post(f"{acquirer}/control", {"latency_ms": 300})
        print("product: with an acquirer that takes 300 ms", flush=True)
        slow = load.run(stack.url, pay, concurrency=128, seconds=seconds, warm_seconds=2)
        post(f"{acquirer}/control", {"latency_ms": 0})
        print("product: while the acquirer hangs", flush=True)
        hang_ms = page_while_an_acquirer_hangs(stack, merchant, acquirer)
        stack.processes.close()  # the floor and the peer get the machine for themselves, as the product had it
        print("floor: pgbench", flush=True)
        floor = floor_per_second(stack, seconds, CONCURRENCY)
    print("peer: localstripe", flush=True)
    peer = localstripe_per_second(seconds)
    for error in (*product.errors, *slow.errors)[:5]:
        print("error:", error)
    print(f"floor {floor:.0f}/s, localstripe {peer:.0f}/s, p50 {product.percentile_ms(0.5):.1f} ms")
    print(f"{delivered} webhooks were delivered meanwhile, {delivered / (seconds + WARM_SECONDS):.0f}/s")
    return {
        "payments_per_second": round(product.per_second, 1),
        "p99_ms": round(product.percentile_ms(0.99), 1),
        "errors": len(product.errors) + len(slow.errors),
        "floor_ratio": round(product.per_second / floor, 3),
        "localstripe_ratio": round(product.per_second / peer, 2),
        "payments_per_second_300ms": round(slow.per_second, 1),
        "hang_page_ms": round(hang_ms, 1),
    }


def profile(seconds: float) -> None:
    """Prints how much CPU each kind of process takes per payment."""
    with running() as stack, Receiver() as receiver:
        acquirer = stack.start_acquirer()
        stack.start_web()
        stack.start_workers()
        merchant = open_merchant(stack, acquirer, receiver.url)
        receiver.wait_for_one()  # the checkout that was opened is told: the workers are there
        load.run(stack.url, unit(merchant.key), concurrency=CONCURRENCY, seconds=3)
        with cpu_seconds() as used:
            result = load.run(stack.url, unit(merchant.key), concurrency=CONCURRENCY, seconds=seconds)
    for name, spent in used.most_common():
        print(f"{name:16} {spent / result.elapsed:5.2f} cores {1000 * spent / len(result.seconds):7.2f} ms/payment")
    print(f"{result.per_second:.1f} payments/s, p99 {result.percentile_ms(0.99):.0f} ms, {len(result.errors)} errors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    if chosen.profile:
        profile(chosen.seconds)
    else:
        print(json.dumps(measure(chosen.seconds)))

"""Deliveries per second of the delivery worker, to a receiver on this machine that answers at once.

A queue of deliveries is made of real events of several merchants; then the product's own worker and clock are started.
Time runs from the first webhook that arrives until the last one is written down as delivered. The last line printed is
JSON. `--deliveries N` sets the length of the queue, `--workers N` how many workers share it.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from bench.fill import DAYS, fill
from bench.receiver import Receiver
from bench.stack import Running, running

# What each payment tells on average, of public events.
_TOLD = 2.7
_PATIENCE_SECONDS = 300


def queue_deliveries(stack: Running, url: str, deliveries: int) -> None:
    """Events as if just told, endpoints that are older, and the product's own steps from one to the other."""
    from app.core.clock import replaying
    from app.core.db import ALL, atomic
    from app.messages.endpoints import add_endpoint
    from app.messages.relay import relay
    from wsgi import create_app

    with create_app().app_context():
        tenants = fill(stack.stores.owner_url, int(deliveries / _TOLD) + 1, queued=True)
        with replaying(datetime.now(UTC) - timedelta(days=DAYS + 5)), atomic(ALL) as connection:
            for merchant_id, live in {(tenant.merchant_id, tenant.live) for tenant in tenants}:
                whose = {"merchant_id": merchant_id, "live": live, "actor": "bench"}
                add_endpoint(connection, url=url, description="bench", events=[], **whose)
        begun = time.perf_counter()
        while relay() >= 500:
            pass
        print(f"queue: events sequenced, sealed and turned into deliveries in {time.perf_counter() - begun:.0f} s")


def measure(stack: Running, receiver: Receiver, workers: int) -> float:
    """Deliveries per second."""
    with psycopg.connect(stack.stores.owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        waiting = _count(connection, "pending")
        print(f"deliveries: {waiting} wait; workers start", flush=True)
        for number in range(workers):
            stack.start(f"deliveries-{number}", "jobs.worker", "deliveries")
        stack.start("clock", "jobs.clock")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (left := _count(connection, "pending")) and time.monotonic() < deadline:
            time.sleep(0.1)
        ended = time.perf_counter()
        assert not left, f"{left} of {waiting} deliveries still wait after {_PATIENCE_SECONDS} s"
        assert len(receiver.seen) == _count(connection, "delivered") == waiting, (len(receiver.seen), waiting)
    print(f"deliveries: {receiver.count - waiting} came twice; {ended - receiver.first:.1f} s")
    return waiting / (ended - receiver.first)


def _count(connection: psycopg.Connection, state: str) -> int:
    row = connection.execute("SELECT count(*) FROM deliveries WHERE state = %s", (state,)).fetchone()
    assert row
    return row[0]


def main(deliveries: int, workers: int) -> dict[str, float]:
    with running() as stack, Receiver() as receiver:
        queue_deliveries(stack, receiver.url, deliveries)
        return {"deliveries_per_second": round(measure(stack, receiver, workers), 1)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(main(given.deliveries, given.workers)))

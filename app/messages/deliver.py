"""`deliver()`: sends what is due, many at a time, and writes down what became of it.

One thread talks to the database, in one short transaction per round: it records what has come back and
claims as much again. The others only send. So a delivery costs little, and nobody who waits for a slow
receiver holds a connection.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from app.core.db import ALL, atomic
from app.messages import health
from app.messages.claim import claim
from app.messages.outbox import LEASE, Result, lock
from app.messages.record import record
from app.messages.senders import MOST_PER_ENDPOINT, MOST_PER_FAILING_ENDPOINT, Senders

_RELAY_EVERY = 0.2
_LAST_CALL = 10.0


def deliver(
    app: Flask,
    *,
    threads: int = 32,
    seconds: float = 20.0,
    lease: timedelta = LEASE,
    stop: Callable[[], bool] = lambda: False,
    relay: Callable[[], object] = lambda: None,
) -> int:
    """Sends until nothing is due, for at most about `seconds` + 20. Returns how many were delivered.

    `relay` is called now and then, so that new events become deliveries while old ones are under way.
    After `seconds` endpoints that fail get nothing more: the end does not wait for their time-outs.
    """
    begun = relayed = time.monotonic()
    delivered = 0
    results: list[Result] = []
    with Senders(app, threads, lease) as senders:
        while True:
            age = time.monotonic() - begun
            closing = stop() or age > seconds + _LAST_CALL
            if time.monotonic() - relayed > _RELAY_EVERY and not closing:
                relay()
                relayed = time.monotonic()
            with atomic(ALL) as connection:
                lock(connection)
                recorded = record(connection, results)
                health.note(connection, recorded)
                claims = (
                    claim(
                        connection,
                        senders.room,
                        busy=senders.busy,
                        most=MOST_PER_ENDPOINT,
                        most_failing=MOST_PER_FAILING_ENDPOINT if age < seconds else 0,
                        lease=lease,
                    )
                    if senders.room and not closing
                    else []
                )
            delivered += sum(bool(result.outcome and result.outcome.delivered) for result in recorded)
            results = senders.start(claims)
            if not results and not senders.under_way:
                return delivered
            results += senders.collect()

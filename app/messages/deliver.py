"""`deliver()`: sends what is due, many at a time, and writes down what became of it.

One thread talks to the database, in one short transaction per round: it records what has come back and
claims as much again. The others only send. So a delivery costs little, and nobody who waits for a slow
receiver holds a connection.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from flask import Flask

from app.core.db import ALL, atomic
from app.messages import health, outbox, webhook
from app.messages.outbox import LEASE, Claim, Result

log = structlog.get_logger()

MOST_PER_ENDPOINT = 16
MOST_PER_FAILING_ENDPOINT = 2
MOST_PER_PEER = 20  # core/http.py refuses more than 24 calls to one host
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
    with _Senders(app, threads, lease) as senders:
        while True:
            age = time.monotonic() - begun
            closing = stop() or age > seconds + _LAST_CALL
            if time.monotonic() - relayed > _RELAY_EVERY and not closing:
                relay()
                relayed = time.monotonic()
            with atomic(ALL) as connection:
                outbox.lock(connection)
                recorded = outbox.record(connection, results)
                health.note(connection, recorded)
                claims = (
                    outbox.claim(
                        connection,
                        senders.room,
                        busy=senders.endpoints,
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
            results += senders.collect(wait_seconds=0.02 if claims else 0.2)


class _Senders:
    """The threads that send, and what they have under way."""

    def __init__(self, app: Flask, threads: int, lease: timedelta) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, "webhooks", initializer=self._enter)
        self._most = threads + threads // 2  # a few wait ready, so that no thread waits for the database
        self._lease_seconds = lease.total_seconds()
        self._back: SimpleQueue[Result] = SimpleQueue()
        self._peers: Counter[str] = Counter()
        self.endpoints: Counter[UUID] = Counter()
        self.under_way = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def room(self) -> int:
        return self._most - self.under_way

    def start(self, claims: Sequence[Claim]) -> list[Result]:
        """Hands claims to the threads. Returns those that have to wait: too much for their host or payment."""
        waiting, seen = [], set()
        at = time.monotonic()
        for claim in claims:
            peer, line = _peer(claim), (claim.endpoint_id, claim.payment_id or claim.id)
            if self._peers[peer] >= MOST_PER_PEER or line in seen:
                waiting.append(Result(claim, None))
                continue
            seen.add(line)
            self._count(claim, 1)
            self._pool.submit(self._send, claim, at)
        return waiting

    def collect(self, wait_seconds: float) -> list[Result]:
        """What has come back by now; waits a little for the first."""
        results: list[Result] = []
        try:
            results.append(self._back.get(timeout=wait_seconds))
            while True:
                results.append(self._back.get_nowait())
        except Empty:
            pass
        for result in results:
            self._count(result.claim, -1)
        return results

    def _count(self, claim: Claim, change: int) -> None:
        self.under_way += change
        self._peers[_peer(claim)] += change
        self.endpoints[claim.endpoint_id] += change
        if not self.endpoints[claim.endpoint_id]:
            del self.endpoints[claim.endpoint_id]

    def _enter(self) -> None:
        """Once per thread; core/db.py needs a context to see that the thread holds no connection."""
        self._app.app_context().push()

    def _send(self, claim: Claim, claimed_at: float) -> None:
        outcome = None
        try:
            left = self._lease_seconds - (time.monotonic() - claimed_at)
            if left > webhook.DEADLINE_SECONDS / 2:
                deadline = min(webhook.DEADLINE_SECONDS, left - 2)
                outcome = webhook.send(claim.webhook, turn=claim.attempts, deadline_seconds=deadline)
        except Exception as error:  # a bug must not lose the claim
            log.error("webhook_raised", error=repr(error))
            outcome = webhook.Outcome(None, type(error).__name__, 0.0)
        self._back.put(Result(claim, outcome))


def _peer(claim: Claim) -> str:
    return urlsplit(claim.webhook.url).netloc

"""The threads that send webhooks, and what they have under way. They never touch the database."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from flask import Flask

from app.messages import webhook
from app.messages.outbox import Claim, Result

log = structlog.get_logger()

MOST_PER_ENDPOINT = 16
MOST_PER_QUICK_ENDPOINT = 64
MOST_PER_FAILING_ENDPOINT = 2
MOST_PER_PEER = 20  # core/http.py refuses more than 40 calls to one host
# A receiver that answers at once is served by few threads, one delivery after the other: threads that take turns
# every half a millisecond cost more than they gain.
QUICK_SECONDS = 0.1
BUNDLE = 16
_WAIT_FOR_FIRST = 0.2
_WAIT_FOR_MORE = 0.03


class Senders:
    """The threads that send, and what they have under way."""

    def __init__(self, app: Flask, threads: int, lease: timedelta) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, "webhooks", initializer=self._enter)
        self._most = 3 * threads  # some wait ready, so that no thread waits for the database
        self._lease_seconds = lease.total_seconds()
        self._back: SimpleQueue[list[Result]] = SimpleQueue()
        self._bundles = 0
        self._peers: Counter[str] = Counter()
        self._endpoints: Counter[UUID] = Counter()
        self._quick: set[UUID] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def under_way(self) -> int:
        return self._endpoints.total()

    @property
    def room(self) -> int:
        return self._most - self.under_way

    @property
    def busy(self) -> dict[UUID, tuple[int, int]]:
        """Per endpoint that we know: how many are under way, and how many may be."""
        return {
            endpoint: (count, MOST_PER_QUICK_ENDPOINT if endpoint in self._quick else MOST_PER_ENDPOINT)
            for endpoint, count in self._endpoints.items()
        }

    def start(self, claims: Sequence[Claim]) -> list[Result]:
        """Hands claims to the threads. Returns those that have to wait: too much for their host or payment."""
        waiting: list[Result] = []
        seen: set[tuple[UUID, UUID]] = set()
        bundles: dict[UUID, list[list[Claim]]] = {}
        for claim in claims:
            line = (claim.endpoint_id, claim.payment_id or claim.id)
            if line in seen:
                waiting.append(Result(claim, None))
                continue
            seen.add(line)
            of_endpoint = bundles.setdefault(claim.endpoint_id, [])
            if not of_endpoint or len(of_endpoint[-1]) == (BUNDLE if claim.endpoint_id in self._quick else 1):
                of_endpoint.append([])
            of_endpoint[-1].append(claim)
        for bundle in (bundle for of_endpoint in bundles.values() for bundle in of_endpoint):
            if self._peers[_peer(bundle)] >= MOST_PER_PEER:
                waiting += [Result(claim, None) for claim in bundle]
                continue
            self._count(bundle, 1)
            self._pool.submit(self._send_bundle, bundle, time.monotonic())
        return waiting

    def collect(self) -> list[Result]:
        """What comes back: waits for the first bundle, then for most of the others, but only for moments.

        A round costs the database about as much for one result as for twenty.
        """
        results: list[Result] = []
        until = time.monotonic() + _WAIT_FOR_FIRST
        wanted = self._bundles * 3 // 4 + 1
        while wanted:
            try:
                bundle = self._back.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            until = min(until, time.monotonic() + _WAIT_FOR_MORE)
            self._count([result.claim for result in bundle], -1)
            self._judge(bundle)
            results += bundle
            wanted -= 1
        return results

    def _count(self, bundle: Sequence[Claim], change: int) -> None:
        self._bundles += change
        self._peers[_peer(bundle)] += change
        self._endpoints[bundle[0].endpoint_id] += change * len(bundle)

    def _judge(self, bundle: Sequence[Result]) -> None:
        endpoint = bundle[0].claim.endpoint_id
        if all(_is_quick(result) for result in bundle):
            self._quick.add(endpoint)
        else:
            self._quick.discard(endpoint)

    def _enter(self) -> None:
        """Once per thread; core/db.py needs a context to see that the thread holds no connection."""
        self._app.app_context().push()

    def _send_bundle(self, bundle: Sequence[Claim], claimed_at: float) -> None:
        """One after the other; when one fails or takes long, the rest goes back to be claimed again."""
        results: list[Result] = []
        for claim in bundle:
            goes_well = all(_is_quick(result) for result in results)
            results.append(Result(claim, self._send(claim, claimed_at) if goes_well else None))
        self._back.put(results)

    def _send(self, claim: Claim, claimed_at: float) -> webhook.Outcome | None:
        left = self._lease_seconds - (time.monotonic() - claimed_at)
        if left < webhook.DEADLINE_SECONDS / 2:
            return None
        deadline = min(webhook.DEADLINE_SECONDS, left - 2)
        try:
            return webhook.send(claim.webhook, turn=claim.attempts, deadline_seconds=deadline)
        except Exception as error:  # a bug must not lose the claim
            log.error("webhook_raised", error=repr(error))
            return webhook.Outcome(None, type(error).__name__, 0.0)


def _is_quick(result: Result) -> bool:
    return result.outcome is not None and result.outcome.delivered and result.outcome.seconds < QUICK_SECONDS


def _peer(bundle: Sequence[Claim]) -> str:
    return urlsplit(bundle[0].webhook.url).netloc

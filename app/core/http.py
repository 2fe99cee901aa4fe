"""The one HTTP client. Every call outside goes through `send()`.

A call has a total deadline, which counts from the first moment: a wait for a place, the look-up of the name, connecting
and sending included (when it passes, nothing is sent any more, and the watchdog closes the socket). At most 40 calls
per peer and process are under way (of 64 threads), and a peer that fails again and again is left alone for a while.
Redirects are never followed, and in live mode nothing connects to a private address. Two ways to fail, and the
difference is money: `NotSent` is proof that the peer saw nothing of the request; `NoAnswer` is silence, and silence is
not a no. The sockets are in app/core/wire.py.
"""

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from app.config import settings
from app.core import metrics, wire
from app.core.wire import CALLS_PER_PEER

log = structlog.get_logger()

LARGEST_ANSWER_BYTES = 2_000_000
# A peer that answers frees a place in a moment, and waiting for one is better than failing a payment. One that has
# been silent for this long may be hanging: then nobody queues up behind those who wait for it already.
PLACE_WAIT_SECONDS = 1.0
FAILURES_BEFORE_OPEN = 10
OPEN_SECONDS = 5.0


class NotSent(Exception):
    """Provably nothing reached the peer: no connection, or we did not try (too many calls, circuit open)."""


class NoAnswer(Exception):
    """The request may have arrived; no complete answer came back in time."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass
class _Peer:
    """What this process knows of one peer (scheme, host, port)."""

    slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(CALLS_PER_PEER))
    failures: int = 0
    answered_at: float = float("-inf")
    open_until: float = 0.0


_peers: dict[str, _Peer] = {}
_peers_lock = threading.Lock()


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    deadline_seconds: float | None = None,
    pinned_address: str | None = None,
    guarded: bool = True,
    own_site: bool = False,
) -> Response:
    """Sends one request and reads the whole answer (at most 2 MB). Raises NotSent or NoAnswer.

    `pinned_address` connects to that IP address while keeping the host name for TLS and the Host
    header, so that a name checked a moment ago cannot point elsewhere now. `guarded=False` leaves out
    the circuit breaker (webhooks keep their own account of failures). `own_site`: our own public address, which may
    stand in a private network. Must not be called inside `atomic()`: core/db.py installs `before_call` to see to it.
    """
    before_call()
    begun = time.monotonic()
    ends = begun + min(deadline_seconds or settings().http_deadline_seconds, _at_most.get())
    ends = min(ends, _not_after.get())
    parts = urlsplit(url)
    peer_name = f"{parts.scheme}://{parts.netloc}"
    peer = _peer(peer_name)
    if guarded and peer.open_until > time.monotonic():
        raise NotSent(f"{peer_name} failed {peer.failures} times in a row and is left alone for {OPEN_SECONDS:.0f} s")
    patience = PLACE_WAIT_SECONDS if time.monotonic() - peer.answered_at < PLACE_WAIT_SECONDS else 0
    if not peer.slots.acquire(timeout=patience):
        raise NotSent(f"{CALLS_PER_PEER} calls to {peer_name} are under way")
    host = ("host", parts.hostname or "") if guarded else ("host", "webhooks")
    try:
        anywhere = own_site or settings().allow_private_endpoints
        response = _exchange(method, url, headers or {}, body, ends, pinned_address, anywhere)
    except (NotSent, NoAnswer) as error:
        _count(host, "not_sent" if isinstance(error, NotSent) else "no_answer", time.monotonic() - begun)
        peer.failures += 1
        if peer.failures >= FAILURES_BEFORE_OPEN:
            peer.open_until = time.monotonic() + OPEN_SECONDS
        raise
    finally:
        peer.slots.release()
    peer.failures, peer.answered_at = 0, time.monotonic()
    _count(host, "answered", response.seconds)
    return response


def open_circuits() -> list[str]:
    """Peers that this process leaves alone just now (scheme and host); other processes have their own."""
    with _peers_lock:
        return sorted(name for name, peer in _peers.items() if peer.open_until > time.monotonic())


def _count(host: tuple[str, str], outcome: str, seconds: float) -> None:
    counted = (("zahlwerk_calls_total", (host, ("outcome", outcome))), 1)
    metrics.add(counted, *metrics.observed("zahlwerk_call_seconds", seconds, (host,)))


_at_most: ContextVar[float] = ContextVar("at_most", default=math.inf)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Shortens the deadline of every call in the block: for what is good to have and not worth a long wait."""
    token = _at_most.set(seconds)
    try:
        yield
    finally:
        _at_most.reset(token)


_not_after: ContextVar[float] = ContextVar("not_after", default=math.inf)


@contextmanager
def not_after(seconds: float) -> Iterator[None]:
    """Every call in the block is over, or was not sent, `seconds` from now: however long the block takes to get there.
    For a lease, after which others may ask the peer what became of it."""
    token = _not_after.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _not_after.reset(token)


def _exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    ends: float,
    pinned_address: str | None,
    anywhere: bool,
) -> Response:
    started = time.monotonic()
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    all_headers = {"Host": parts.netloc, "User-Agent": "Zahlwerk/1", "Accept-Encoding": "identity", **headers}
    wire.deadline.at = ends
    if parts.scheme not in ("http", "https"):
        raise NotSent(f"unknown scheme {parts.scheme!r}")
    try:
        answer = wire.pool(parts.scheme, parts.hostname or "", parts.port, pinned_address, anywhere).request(
            method,
            target,
            body=body,
            headers=all_headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=None, read=max(0.001, ends - started)),  # connecting: app/core/wire.py
        )
    except (NewConnectionError, ConnectTimeoutError, NameResolutionError) as error:
        raise NotSent(str(error)) from error
    except (HTTPError, OSError) as error:
        raise NoAnswer(f"{type(error).__name__} after {time.monotonic() - started:.1f} s") from error
    with wire.watched(getattr(answer.connection, "sock", None), wire.deadline.at):
        try:
            content = answer.read(LARGEST_ANSWER_BYTES + 1)
        except (HTTPError, OSError) as error:
            answer.close()
            raise NoAnswer(f"answer broke off: {type(error).__name__}") from error
    if len(content) > LARGEST_ANSWER_BYTES:
        answer.close()
        raise NoAnswer(f"answer larger than {LARGEST_ANSWER_BYTES} bytes")
    answer.release_conn()
    return Response(
        status=answer.status,
        headers={name.lower(): value for name, value in answer.headers.items()},
        body=content,
        seconds=time.monotonic() - started,
    )


def before_call() -> None:
    """Replaced by core/db.py: refuses calls inside a transaction and gives back the pooled connection."""


def _peer(name: str) -> _Peer:
    peer = _peers.get(name)
    if peer is None:
        with _peers_lock:
            peer = _peers.setdefault(name, _Peer())
    return peer

"""The one HTTP client. Every call outside goes through `send()`.

A call has a total deadline (the watchdog closes the socket when it passes), at most 40 calls per
peer and process are under way (of 64 threads), and a peer that fails again and again is left alone for a while.
Redirects are never followed. Two ways to fail, and the difference is money: `NotSent` is proof that
the peer saw nothing of the request; `NoAnswer` is silence, and silence is not a no.
"""

import heapq
import itertools
import math
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import certifi
import structlog
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from app.config import settings

log = structlog.get_logger()

LARGEST_ANSWER_BYTES = 2_000_000
CALLS_PER_PEER = 40
# A peer that answers frees a place in a moment, and waiting for one is better than failing a payment. One that has
# been silent for this long may be hanging: then nobody queues up behind those who wait for it already.
PLACE_WAIT_SECONDS = 1.0
FAILURES_BEFORE_OPEN = 10
OPEN_SECONDS = 5.0
CONNECT_SECONDS = 3.0


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
_deadline = threading.local()


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    deadline_seconds: float | None = None,
    pinned_address: str | None = None,
    guarded: bool = True,
) -> Response:
    """Sends one request and reads the whole answer (at most 2 MB). Raises NotSent or NoAnswer.

    `pinned_address` connects to that IP address while keeping the host name for TLS and the Host
    header, so that a name checked a moment ago cannot point elsewhere now. `guarded=False` leaves out
    the circuit breaker (webhooks keep their own account of failures). Must not be called inside
    `atomic()`: core/db.py installs `before_call` to see to it.
    """
    before_call()
    parts = urlsplit(url)
    peer_name = f"{parts.scheme}://{parts.netloc}"
    peer = _peer(peer_name)
    if guarded and peer.open_until > time.monotonic():
        raise NotSent(f"{peer_name} failed {peer.failures} times in a row and is left alone for {OPEN_SECONDS:.0f} s")
    patience = PLACE_WAIT_SECONDS if time.monotonic() - peer.answered_at < PLACE_WAIT_SECONDS else 0
    if not peer.slots.acquire(timeout=patience):
        raise NotSent(f"{CALLS_PER_PEER} calls to {peer_name} are under way")
    seconds = min(deadline_seconds or settings().http_deadline_seconds, _at_most.get())
    try:
        response = _exchange(method, url, headers or {}, body, seconds, pinned_address)
    except (NotSent, NoAnswer):
        peer.failures += 1
        if peer.failures >= FAILURES_BEFORE_OPEN:
            peer.open_until = time.monotonic() + OPEN_SECONDS
        raise
    finally:
        peer.slots.release()
    peer.failures, peer.answered_at = 0, time.monotonic()
    return response


_at_most: ContextVar[float] = ContextVar("at_most", default=math.inf)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Shortens the deadline of every call in the block: for what is good to have and not worth a long wait."""
    token = _at_most.set(seconds)
    try:
        yield
    finally:
        _at_most.reset(token)


def _exchange(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, pinned_address: str | None
) -> Response:
    started = time.monotonic()
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    all_headers = {"Host": parts.netloc, "User-Agent": "Zahlwerk/1", "Accept-Encoding": "identity", **headers}
    _deadline.at = started + seconds
    try:
        answer = _pool(parts.scheme, parts.hostname or "", parts.port, pinned_address).request(
            method,
            target,
            body=body,
            headers=all_headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds),
        )
    except (NewConnectionError, ConnectTimeoutError, NameResolutionError) as error:
        raise NotSent(str(error)) from error
    except (HTTPError, OSError) as error:
        raise NoAnswer(f"{type(error).__name__} after {time.monotonic() - started:.1f} s") from error
    with _watched(getattr(answer.connection, "sock", None), _deadline.at):
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


# The watchdog: urllib3's read time-out starts anew with every byte, so a peer that drips one byte
# every few seconds would never be cut off. A thread closes the sockets whose deadline has passed.


class _watched:
    def __init__(self, sock: object, at: float) -> None:
        self._entry = _Watch(at, sock)

    def __enter__(self) -> None:
        _watchdog.watch(self._entry)

    def __exit__(self, *_: object) -> None:
        self._entry.sock = None


@dataclass
class _Watch:
    at: float
    sock: object


class _Watchdog:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Watch]] = []
        self._numbers = itertools.count()
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, entry: _Watch) -> None:
        if entry.sock is None:
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="http-watchdog", daemon=True)
                self._thread.start()
            heapq.heappush(self._heap, (entry.at, next(self._numbers), entry))

    def _run(self) -> None:
        while True:
            with self._lock:
                while self._heap and self._heap[0][0] <= time.monotonic():
                    _shut(heapq.heappop(self._heap)[2])
                while self._heap and self._heap[0][2].sock is None:
                    heapq.heappop(self._heap)
            time.sleep(0.25)


def _shut(entry: _Watch) -> None:
    sock, entry.sock = entry.sock, None
    if sock is not None:
        try:
            sock.shutdown(2)  # type: ignore[attr-defined]  # a socket or an SSL socket; both have it
        except OSError:
            pass  # already closed


_watchdog = _Watchdog()


class _PlainConnection(HTTPConnection):
    def getresponse(self):
        with _watched(self.sock, _deadline.at):
            return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self):
        with _watched(self.sock, _deadline.at):
            return super().getresponse()


_pools: dict[tuple[str, str, int | None, str | None], urllib3.HTTPConnectionPool] = {}


def _pool(scheme: str, host: str, port: int | None, pinned: str | None) -> urllib3.HTTPConnectionPool:
    key = (scheme, host, port, pinned)
    pool = _pools.get(key)
    if pool is None:
        if len(_pools) > 500:  # merchants' endpoints come and go
            _pools.clear()
        pool = _pools[key] = _new_pool(scheme, host, port, pinned)
    return pool


def _new_pool(scheme: str, host: str, port: int | None, pinned: str | None) -> urllib3.HTTPConnectionPool:
    if scheme == "https":
        context = ssl.create_default_context(cafile=certifi.where())
        secure = urllib3.HTTPSConnectionPool(
            pinned or host,
            port,
            maxsize=CALLS_PER_PEER,
            ssl_context=context,
            assert_hostname=host,
            server_hostname=host,
        )
        secure.ConnectionCls = _TlsConnection  # pyright: ignore  # urllib3 types it as its own protocol
        return secure
    if scheme != "http":
        raise NotSent(f"unknown scheme {scheme!r}")
    plain = urllib3.HTTPConnectionPool(pinned or host, port, maxsize=CALLS_PER_PEER)
    plain.ConnectionCls = _PlainConnection  # pyright: ignore
    return plain


def _peer(name: str) -> _Peer:
    peer = _peers.get(name)
    if peer is None:
        with _peers_lock:
            peer = _peers.setdefault(name, _Peer())
    return peer

"""The sockets under app/core/http.py: pools of connections, which send nothing after the deadline and connect only to
public addresses, and the watchdog that ends what takes longer."""

import heapq
import itertools
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from app.core.addresses import looked_up

CALLS_PER_PEER = 40
CONNECT_SECONDS = 3.0  # for one address, and for the handshake; less where the deadline comes first

deadline = threading.local()  # `.at`: when the call of this thread has to be over, time.monotonic()


# The watchdog: urllib3's read time-out starts anew with every byte, so a peer that drips one byte
# every few seconds would never be cut off. A thread closes the sockets whose deadline has passed.


class watched:
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


class _InTime:
    """Looking a name up, connecting, the handshake and sending together take no longer than the call's deadline; once
    it has passed, nothing is sent any more."""

    sock: Any = None
    timeout: Any = None
    _only_public = True

    def _new_conn(self) -> Any:
        name, refused = self._dns_host, None
        try:
            for address in _addresses(self, name):
                self._dns_host = address
                self.timeout = min(CONNECT_SECONDS, _left(self))
                try:
                    sock = super()._new_conn()  # type: ignore[misc]  # of the connection it is mixed into
                except (NewConnectionError, ConnectTimeoutError) as error:
                    refused = error
                else:
                    sock.settimeout(min(CONNECT_SECONDS, _left(self)))  # a handshake has all of it once
                    return sock
        finally:
            self._dns_host = name
        assert refused is not None
        raise refused

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        self.timeout = _left(self)
        with watched(self.sock, deadline.at):
            super().request(*args, **options)  # type: ignore[misc]

    def getresponse(self):
        with watched(self.sock, deadline.at):
            return super().getresponse()  # type: ignore[misc]


def _left(connection: Any) -> float:
    """Seconds until the deadline. Raises ConnectTimeoutError once it has passed: nothing was sent."""
    left = deadline.at - time.monotonic()
    if left <= 0:
        raise ConnectTimeoutError(connection, "the deadline passed before anything was sent")
    return left


def _addresses(connection: Any, name: str) -> tuple[str, ...]:
    """What the name points to now. Who connects to just that asks no second question and gets no second answer."""
    try:
        return looked_up(name, connection.port, _left(connection), only_public=connection._only_public)
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, str(error)) from error


class _PublicPlainConnection(_InTime, HTTPConnection):
    pass


class _PublicTlsConnection(_InTime, HTTPSConnection):
    pass


class _PlainConnection(_PublicPlainConnection):
    _only_public = False


class _TlsConnection(_PublicTlsConnection):
    _only_public = False


_pools: dict[tuple[str, str, int | None, str | None, bool], urllib3.HTTPConnectionPool] = {}


def pool(scheme: str, host: str, port: int | None, pinned: str | None, anywhere: bool) -> urllib3.HTTPConnectionPool:
    key = (scheme, host, port, pinned, anywhere)
    found = _pools.get(key)
    if found is None:
        if len(_pools) > 500:  # merchants' endpoints come and go
            _pools.clear()
        found = _pools[key] = _new_pool(scheme, host, port, pinned, anywhere)
    return found


def _new_pool(
    scheme: str, host: str, port: int | None, pinned: str | None, anywhere: bool
) -> urllib3.HTTPConnectionPool:
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
        # urllib3 types it as its own protocol
        secure.ConnectionCls = _TlsConnection if anywhere else _PublicTlsConnection  # pyright: ignore
        return secure
    plain = urllib3.HTTPConnectionPool(pinned or host, port, maxsize=CALLS_PER_PEER)
    plain.ConnectionCls = _PlainConnection if anywhere else _PublicPlainConnection  # pyright: ignore
    return plain

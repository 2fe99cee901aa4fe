"""Rate limits: so many requests a minute per key or per address, counted in Redis.

Numbers are drawn from Redis a hundredth of the limit at a time, so that most requests need no round trip; what
a process has drawn and not used when the minute ends is lost, which makes the limit exact to a hundredth per
process. Without Redis each process counts for itself and looks again after a while.
"""

import threading
import time
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Network, ip_address

import structlog
from limits.storage import MemoryStorage, RedisStorage
from redis import RedisError

from app.config import settings

log = structlog.get_logger()

WINDOW_SECONDS = 60
# Counted values change their meaning with the way of counting: then the number in the prefix is raised.
_PREFIX = "zahlwerk:limit:1"
_LOOK_AGAIN_SECONDS = 5.0
_TIMEOUT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands in this minute. `reset` is a POSIX time."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    @property
    def retry_after(self) -> int:
        return max(1, self.reset - int(time.time()))


@dataclass
class _Drawn:
    """Numbers this process may give out: `next` to `last`."""

    next: int
    last: int


class Limiter:
    """Counts per process and window; one instance per process is enough."""

    def __init__(self, redis_url: str) -> None:
        self._shared = RedisStorage(
            redis_url, key_prefix=_PREFIX, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        self._own = MemoryStorage()
        self._look_again_at = 0.0
        self._window = 0
        self._drawn: dict[str, _Drawn] = {}
        self._lock = threading.Lock()

    def count(self, who: str, limit: int) -> Standing:
        """Counts one request of `who`."""
        window = int(time.time()) // WINDOW_SECONDS
        number = self._taken(who, window)
        if number is None:
            number = self._draw(who, window, limit)
        reset = (window + 1) * WINDOW_SECONDS
        return Standing(limit, max(0, limit - number), reset, number > limit)

    def _taken(self, who: str, window: int) -> int | None:
        with self._lock:
            if window != self._window:
                self._window = window
                self._drawn.clear()
            drawn = self._drawn.get(who)
            if drawn is None or drawn.next > drawn.last:
                return None
            drawn.next += 1
            return drawn.next - 1

    def _draw(self, who: str, window: int, limit: int) -> int:
        """Draws a batch and returns its first number. Two threads may draw at once; both batches count."""
        batch = max(1, limit // 100)
        last = self._increase(f"{who}:{window}", batch)
        first = last - batch + 1
        if first > limit:
            last = first + 10 * limit  # nothing is left in this minute: no need to ask again
        with self._lock:
            if window == self._window:
                self._drawn[who] = _Drawn(first + 1, last)
        return first

    def _increase(self, key: str, amount: int) -> int:
        if time.monotonic() >= self._look_again_at:
            try:
                return self._shared.incr(key, 2 * WINDOW_SECONDS, amount)
            except RedisError as error:
                self._look_again_at = time.monotonic() + _LOOK_AGAIN_SECONDS
                log.warning("rate_limits_counted_alone", error=type(error).__name__)
        return self._own.incr(key, 2 * WINDOW_SECONDS, amount)


def who_is_at(address: str | None) -> str:
    """An address as it is counted. Of IPv6 the first 64 bits: whoever has one has all of them."""
    try:
        ip = ip_address(address or "")
    except ValueError:
        return "address:unknown"
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return f"address:{ip}" if ip.version == 4 else f"address:{IPv6Network((int(ip), 64), strict=False)}"


@cache
def limiter() -> Limiter:
    """This process's limiter, made on first use."""
    return Limiter(settings().redis_url)

"""A waiting page looks again and again; all its windows in one process share one reading per 300 ms."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from app.payments import checkout
from app.payments.checkout import Opened

SHARED_SECONDS = 0.3
_MOST = 2_000

Reading = tuple[Opened, Mapping[str, Any] | None]

_readings: dict[str, tuple[float, Reading]] = {}
_locks = [threading.Lock() for _ in range(64)]  # one reader at a time per link; the others take what it brings


def at(token: str) -> Reading:
    """Checkout and newest attempt, at most 300 ms old. Raises NotFound."""
    with _locks[hash(token) % len(_locks)]:
        known = _readings.get(token)
        if known and time.monotonic() - known[0] < SHARED_SECONDS:
            return known[1]
        opened = checkout.find(token)
        reading = (opened, checkout.latest_attempt(opened))
        _forget_old()
        _readings[token] = (time.monotonic(), reading)
        return reading


def _forget_old() -> None:
    if len(_readings) < _MOST:
        return
    before = time.monotonic() - SHARED_SECONDS
    for token, (read_at, _) in list(_readings.items()):
        if read_at < before:
            _readings.pop(token, None)

"""Signs of life: each worker and clock leaves one in Redis that fades when the process does."""

import os
from contextlib import suppress
from typing import Any

import redis

from app.core import queue
from app.core.clock import now

_PREFIX = "zahlwerk:alive:"
SECONDS = 90  # a worker beats between jobs, and a job may take the better part of a minute


def beat(name: str) -> None:
    """`name`: what this process does, such as "worker deliveries". Never fails."""
    with suppress(redis.RedisError):
        queue.connection().set(f"{_PREFIX}{name}:{os.getpid()}", now().isoformat(), ex=SECONDS)


def beats() -> dict[str, str]:
    """Name and process id -> time of the last sign of life (ISO). Raises redis.RedisError."""
    client = queue.connection()
    found = {key: client.get(key) for key in client.scan_iter(f"{_PREFIX}*", count=500)}
    return {_text(key).removeprefix(_PREFIX): _text(value) for key, value in sorted(found.items()) if value}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value

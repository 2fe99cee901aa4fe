"""Where the present request comes from. A door says so once; `tell()` adds it to what members of staff and
API keys do.

It is personal, so it goes into the details of an event, with their salt, and can be forgotten.
"""

from collections.abc import Mapping
from contextvars import ContextVar

# What an origin may say: `ip_address`, `device` (a browser's name), `request_id` (as in the logs).
KEYS = ("ip_address", "device", "request_id")

_origin: ContextVar[Mapping[str, str] | None] = ContextVar("origin", default=None)


def came_from(origin: Mapping[str, str]) -> None:
    """Of everything that happens from here on in this thread; empty when the request is over."""
    assert set(origin) <= set(KEYS), origin
    _origin.set({name: value for name, value in origin.items() if value})


def origin() -> Mapping[str, str]:
    return _origin.get() or {}

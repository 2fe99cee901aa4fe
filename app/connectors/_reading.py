"""Reading what a provider wrote, without believing its form."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.connectors.kinds import Card

_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){11,}")
_LONGEST_TEXT = 200
# JSON can write them and PostgreSQL cannot keep them: NUL, half of a surrogate pair, whole numbers beyond 64 bits.
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
_MOST = 2**53


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`, or None for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def text(found: object) -> str | None:
    """A non-empty string that can be kept, or None."""
    return found if isinstance(found, str) and found and not _NOT_KEPT.search(found) else None


def part(found: object, *path: str) -> Mapping[str, Any]:
    """The object at `path`; an empty one where there is none. `part(event, "data", "object")`."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def whole(found: object) -> int | None:
    """An integer (JSON has no other kind of money here), or None; True and False are none."""
    if not isinstance(found, int) or isinstance(found, bool):
        return None
    return found if abs(found) < _MOST else None


def unix_time(found: object) -> datetime | None:
    """Seconds since 1970 as a moment, or None for what is no moment."""
    seconds = whole(found)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def several(found: object) -> list[Any]:
    """A list, or an empty one."""
    return found if isinstance(found, list) else []


def secrets_of(card: Card | None) -> tuple[str, ...]:
    """What of a card must not come back in a provider's words."""
    return tuple(secret for secret in (card.number, card.security_code) if secret) if card else ()


def masked(found: object, hide: Iterable[str] = ()) -> str | None:
    """A provider's text made fit to be kept: short, without `hide` and without anything like a card number."""
    words = text(found)
    if words is None:
        return None
    for secret in hide:
        words = words.replace(secret, "…")
    return _LONG_NUMBER.sub("…", words)[:_LONGEST_TEXT]

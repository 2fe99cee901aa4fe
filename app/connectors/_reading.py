"""Reading what a provider wrote, without believing its form."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.connectors.kinds import Card

_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){11,}")
_LONGEST_TEXT = 200


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`, or None for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def text(found: object) -> str | None:
    """A non-empty string, or None."""
    return found if isinstance(found, str) and found else None


def part(found: object, *path: str) -> Mapping[str, Any]:
    """The object at `path`; an empty one where there is none. `part(event, "data", "object")`."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def whole(found: object) -> int | None:
    """An integer (JSON has no other kind of money here), or None; True and False are none."""
    return found if isinstance(found, int) and not isinstance(found, bool) else None


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

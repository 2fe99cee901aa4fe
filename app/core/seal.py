"""The seal of an event: an HMAC over the seal before it and the event. Its key lives outside the database."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from app.config import settings
from app.core.events import canonical

START = b"\0" * 32  # before the first event
_IDS = ("id", "merchant_id", "subject_id", "payment_id")
_PLAIN = ("live", "name", "audience", "subject_type", "step", "payment_step", "actor", "data")


def seal_of(previous: bytes, event: Mapping[str, Any]) -> bytes:
    """`event`: a row of `events` as the database gives it."""
    body = {name: event[name] for name in _PLAIN}
    body |= {name: str(event[name]) if event[name] else None for name in _IDS}
    body["happened_at"] = event["happened_at"].timestamp()
    body["details"] = event["details_digest"].hex() if event["details_digest"] else None
    return hmac.digest(settings().keys.seal, previous + canonical(body), hashlib.sha256)

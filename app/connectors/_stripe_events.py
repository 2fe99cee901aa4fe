"""Stripe's webhooks: the signature, and one event opened for reading.

Source: docs.stripe.com/webhooks/signature (scheme v1, tolerance five minutes).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from app.connectors._reading import json_object, part, text, unix_time
from app.connectors._stripe_words import read_amount
from app.connectors.kinds import Contract, News, NewsKind, NewsRefused, Outcome
from app.core.clock import now

log = structlog.get_logger()

TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Event:
    """One event about `thing`, with what every fact of it shares. `event_id`: of the event itself."""

    contract: Contract
    type: str
    thing: Mapping[str, Any]
    live: object
    at: datetime | None
    event_id: str | None = None

    @property
    def id(self) -> str:
        return text(self.thing.get("id")) or ""

    @property
    def intent(self) -> str | None:
        return text(self.thing.get("payment_intent"))

    @property
    def operation_key(self) -> str | None:
        return text(part(self.thing, "metadata").get("operation_key"))

    def amount(self, field: str) -> int | None:
        return read_amount(self.thing.get(field), self.thing.get("currency"))

    def news(self, id_: str, kind: NewsKind, outcome: Outcome, amount: int | None, **more: Any) -> News:
        currency = (text(self.thing.get("currency")) or "").upper() or None
        return News(id_, kind, outcome, amount, currency, occurred_at=self.at, **more)

    def unread(self, what: str, **words: object) -> list[News]:
        log.warning(what, provider="stripe", contract=self.contract.id, news=self.type, **words)
        return []


def open_event(
    contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
) -> Event:
    """Raises NewsRefused."""
    given = headers.get("stripe-signature", "")
    _check_signature(contract.settings["webhook_secret"], given, body, received_at or now())
    found = json_object(body)
    kind = text(part(found).get("type"))
    if found is None or kind is None:
        raise NewsRefused("not an event")
    at = unix_time(found.get("created"))
    return Event(contract, kind, part(found, "data", "object"), found.get("livemode"), at, text(found.get("id")))


def _check_signature(secret: str, header: str, body: bytes, received_at: datetime) -> None:
    """`t=<seconds>,v1=<hex>[,v1=...]`: HMAC-SHA256 of "<t>.<body>"; several v1 while a secret is replaced.
    It must have been fresh when it came: a kept message is read again much later."""
    items = [item.strip().partition("=")[::2] for item in header.split(",")]
    times = [value for name, value in items if name == "t" and value.isascii() and value.isdigit()]
    if len(times) != 1 or len(times[0]) > 12:
        raise NewsRefused("no signature")
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    given = [value for name, value in items if name == "v1"]
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise NewsRefused("wrong signature")
    if abs(received_at.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise NewsRefused("signature too old")

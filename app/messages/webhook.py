"""What a webhook looks like on the wire, by the Standard Webhooks specification.

Headers webhook-id, webhook-timestamp, webhook-signature; the signature is an HMAC-SHA256 over
`id.timestamp.body`, once per valid secret (`v1,… v1,…`). https://www.standardwebhooks.com
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core import http
from app.core.errors import Refusal
from app.messages.addresses import resolve
from app.messages.public import event_picture

DEADLINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event for one URL, with the endpoint's valid secrets (none: they cannot be opened)."""

    url: str
    event: Mapping[str, Any]
    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` None: no answer; then `error` says why. Only 2xx is a delivery."""

    status: int | None
    error: str | None
    seconds: float

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(webhook: Webhook, *, turn: int = 0, deadline_seconds: float = DEADLINE_SECONDS) -> Outcome:
    """One attempt. `turn` counts attempts: each goes to the next of the name's addresses. Never raises."""
    started = time.monotonic()
    if not webhook.secrets:
        return Outcome(None, "the endpoint's secret cannot be opened", 0.0)  # nothing goes out unsigned
    try:
        addresses = resolve(webhook.url)
        picture = event_picture(webhook.event)
        body = json.dumps(picture, separators=(",", ":"), ensure_ascii=False).encode()
        response = http.send(
            "POST",
            webhook.url,
            headers=headers(picture["id"], int(time.time()), body, webhook.secrets),
            body=body,
            deadline_seconds=deadline_seconds,
            pinned_address=addresses[turn % len(addresses)],
            guarded=False,
        )
    except Refusal as refusal:
        return Outcome(None, refusal.code, time.monotonic() - started)
    except (http.NotSent, http.NoAnswer) as error:
        return Outcome(None, str(error)[:300], time.monotonic() - started)
    error = None if 200 <= response.status < 300 else f"HTTP {response.status}"
    return Outcome(response.status, error, time.monotonic() - started)


def headers(message_id: str, timestamp: int, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(message_id, timestamp, body, secret) for secret in secrets),
    }


def signature(message_id: str, timestamp: int, body: bytes, secret: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"

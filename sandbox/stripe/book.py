"""The Stripe stand-in's memory and its way to tell: things, events, and the webhook signature."""

import hashlib
import hmac
import json
import secrets
import string
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.stand_in import Deliveries, Faults, Store, Thing

_LETTERS = string.ascii_letters + string.digits


class Book:
    """One stand-in. `secret_key` None accepts every key that starts with `sk_`."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.faults = Faults()
        self.secret_key: str | None = None
        self.webhook_secret = "whsec_sandbox"  # noqa: S105 - a stand-in's, known to everybody
        self.deliveries = Deliveries(self.store, self._signature)
        self.received: deque[Thing] = deque(maxlen=1000)

    def event(self, kind: str, thing: Mapping[str, Any]) -> Thing:
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": "2024-06-20",
            "created": int(time.time()),
            "livemode": False,
            "type": kind,
            "data": {"object": shown(thing)},
        }
        self.deliveries.tell(json.dumps(event))
        return event

    def _signature(self, body: bytes) -> Mapping[str, str]:
        at = str(int(time.time()))
        digest = hmac.new(self.webhook_secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={at},v1={digest}"}


def new_id(prefix: str) -> str:
    return f"{prefix}_" + "".join(secrets.choice(_LETTERS) for _ in range(24))


def shown(thing: Any) -> Any:
    """Without what only the stand-in knows (names with an underscore in front)."""
    if isinstance(thing, Mapping):
        return {name: shown(value) for name, value in thing.items() if not name.startswith("_")}
    return [shown(one) for one in thing] if isinstance(thing, list) else thing


class Refused(Exception):
    """Stripe's error object."""

    def __init__(self, status: int, kind: str, code: str | None = None, message: str = "", **more: object) -> None:
        self.status = status
        self.error = {"type": kind, "message": message or f"Sandbox: {code or kind}", **more}
        if code:
            self.error["code"] = code
        super().__init__(code or kind)


def invalid(code: str | None, message: str = "", **more: object) -> Refused:
    return Refused(400, "invalid_request_error", code, message, **more)

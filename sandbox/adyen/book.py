"""The Adyen stand-in's memory and its way to tell: payments, and notifications with their HMAC."""

import base64
import hashlib
import hmac
import json
import secrets
import string
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from sandbox.stand_in import Deliveries, Faults, Store, Thing

_SIGNS = string.ascii_uppercase + string.digits


class Refused(Exception):
    """Adyen's error object."""

    def __init__(self, status: int, code: str, kind: str = "validation", message: str = "") -> None:
        self.status = status
        self.body = {
            "status": status,
            "errorCode": code,
            "message": message or f"Sandbox: {code}",
            "errorType": kind,
            "pspReference": new_psp(),
        }
        super().__init__(code)


class Book:
    """One stand-in. `api_key` None accepts every key. `hmac_key` signs, hexadecimal."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.faults = Faults()
        self.api_key: str | None = None
        self.hmac_key = "00" * 32
        self.news_login: str | None = None
        self.deliveries = Deliveries(self.store, lambda _: self._login())
        self.received: deque[Thing] = deque(maxlen=1000)

    def notify(self, code: str, payment: Thing, *, success: bool = True, **more: object) -> None:
        """`payment`: account, reference, value, currency, brand. `more` overrides fields of the item."""
        item: Thing = {
            "additionalData": {},
            "amount": {"value": payment["value"], "currency": payment["currency"]},
            "eventCode": code,
            "eventDate": datetime.now(UTC).isoformat(timespec="seconds"),
            "merchantAccountCode": payment["account"],
            "merchantReference": payment["reference"],
            "paymentMethod": payment["brand"],
            "pspReference": payment["psp"],
            "reason": "",
            "success": "true" if success else "false",
            **more,
        }
        item["additionalData"] = {**item["additionalData"], "hmacSignature": self._signature(item)}
        message = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        self.deliveries.tell(json.dumps(message))

    def _signature(self, item: Thing) -> str:
        amount = item["amount"]
        names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
        values = [item.get(name, "") for name in names]
        values += [amount["value"], amount["currency"], item["eventCode"], item["success"]]
        digest = hmac.new(bytes.fromhex(self.hmac_key), ":".join(map(str, values)).encode(), hashlib.sha256)
        return base64.b64encode(digest.digest()).decode()

    def _login(self) -> dict[str, str]:
        if self.news_login is None:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(self.news_login.encode()).decode()}


def new_psp() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(16))

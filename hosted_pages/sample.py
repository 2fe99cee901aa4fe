"""A checkout that does not exist, for looking at a shop's pages: sample data, links that lead nowhere."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from flask import g
from flask_babel import gettext as _

from app.core.clock import now
from app.core.ids import uuid7
from app.payments.checkout import Opened
from hosted_pages.standing import Standing
from hosted_pages.visit import Visit

# Minor units of two lines of an order.
_LINES = (3_490, 1_500)


@dataclass(frozen=True)
class Sample(Visit):
    """A visit whose links stay on the page."""

    @property
    def standing(self) -> Standing:  # pyright: ignore[reportIncompatibleVariableOverride]  # of a cached property
        return Standing.PAID if self.attempt else Standing.OPEN

    def to(self, step: str = "", **parameters: str) -> str:
        shop = self.opened.shop
        if step == "/logo" and shop["logo"]:
            return f"data:{shop['logo_type']};base64,{base64.b64encode(shop['logo']).decode()}"
        return "#"

    def switched(self, language: str) -> str:
        return "#"

    def way_out(self) -> str | None:
        return "#"


def sample(
    shop: Mapping[str, Any], merchant: Mapping[str, Any], *, live: bool, language: str, currency: str, paid: bool
) -> Sample:
    """Needs the language of the request to be set: the lines of the order are in it."""
    at = now()
    checkout = {
        "id": uuid7(),
        "live": live,
        "state": "completed" if paid else "open",
        "language": language,
        "places_order": True,
        "return_url": None,
        "expires_at": at + timedelta(hours=1),
    }
    payment = {
        "id": uuid7(),
        "status": "captured" if paid else "created",
        "amount": sum(_LINES),
        "currency": currency,
        "captured": sum(_LINES) if paid else 0,
        "refunded": 0,
        "description": "",
        "order_number": "2026-0815",
        "merchant_reference": "2026-0815",
        "order_lines": [
            SimpleNamespace(name=name, quantity=1, amount=amount)
            for name, amount in zip((_("First item of a sample order"), _("Second item")), _LINES, strict=True)
        ],
    }
    attempt = {"attempt": 1, "method": "card", "brand": "visa", "last4": "4242", "state": "succeeded", "updated_at": at}
    opened = Opened(checkout, payment, shop, merchant)
    g.visit = Sample("preview", opened, attempt if paid else None, False, language)
    return g.visit

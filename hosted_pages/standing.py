"""Where a payer stands in a checkout, and which page shows it. Every page asks here, so that they agree."""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.payments.checkout import Opened


class Standing(enum.StrEnum):
    OPEN = "open"  # nobody has tried yet
    DECLINED = "declined"  # the last attempt failed; another one is welcome
    ACTION = "action"  # the payer must confirm somewhere else
    WAITING = "waiting"  # the provider is being asked
    PENDING = "pending"  # that takes longer; nobody needs to watch
    PAID = "paid"
    REVERSED = "reversed"  # it was paid, and given back before it was captured
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNPAID = frozenset({"created", "requires_action", "pending", "failed", "cancelled", "expired"})
PATIENCE = {"submitted": timedelta(seconds=45), "unknown": timedelta(seconds=45), "pending": timedelta(seconds=8)}

# The page that shows each standing: what follows /pay/<token>.
PLACE = {
    Standing.OPEN: "",
    Standing.DECLINED: "",
    Standing.ACTION: "/wait",
    Standing.WAITING: "/wait",
    **dict.fromkeys(
        (Standing.PENDING, Standing.PAID, Standing.REVERSED, Standing.CANCELLED, Standing.EXPIRED), "/result"
    ),
}


def standing(opened: Opened, attempt: Mapping[str, Any] | None, at: datetime) -> Standing:
    """`attempt`: checkout.latest_attempt(). A checkout whose time is over still waits for an answer under way."""
    state, status = opened.checkout["state"], opened.payment["status"]
    paid = status not in UNPAID
    if state == "cancelled" or (state == "open" and status == "cancelled"):  # by the payer, or by the shop
        return Standing.CANCELLED
    if state == "completed":
        return Standing.PAID if paid else Standing.REVERSED
    if state == "open" and paid and not _given_back(opened.payment):
        return Standing.PAID
    tried = attempt["state"] if attempt else None
    if attempt and tried in PATIENCE:
        return Standing.PENDING if at - attempt["updated_at"] > PATIENCE[tried] else Standing.WAITING
    if tried == "action" and state == "open":
        return Standing.ACTION
    if state == "expired" or opened.checkout["expires_at"] <= at:
        return Standing.EXPIRED
    return Standing.DECLINED if attempt else Standing.OPEN


def _given_back(payment: Mapping[str, Any]) -> bool:
    """A yes that came when another payment had taken its debt."""
    return payment["cancel_pending"] > 0 and payment["authorised"] == payment["cancelled"] + payment["cancel_pending"]

"""Told as `refund.succeeded`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "refund.succeeded"
TITLE = N_("Payment refunded")
DESCRIPTION = N_("Captured money was given back to the payer, whole or in part.")
EXAMPLE = operation(
    "refund", "succeeded", "partially_refunded", amount=1000, authorised=4990, captured=4990, refunded=1000
)
MAIL = {"shop": "refund_succeeded", "payer": "refund_notice"}

if TYPE_CHECKING:
    from app.messages.events import refund_succeeded as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

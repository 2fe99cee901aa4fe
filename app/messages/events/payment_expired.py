"""Told as `payment.expired`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import payment

NAME = "payment.expired"
TITLE = N_("Payment expired")
DESCRIPTION = N_("Nobody gave a means of payment for thirty days. What was reserved is told as cancellation.succeeded.")
EXAMPLE = {"payment": payment("expired"), "reason": None}
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import payment_expired as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

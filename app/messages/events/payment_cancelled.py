"""Told as `payment.cancelled`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import payment

NAME = "payment.cancelled"
TITLE = N_("Payment cancelled")
DESCRIPTION = N_("A payment with nothing reserved was closed. What was reserved is told as cancellation.succeeded.")
EXAMPLE = {"payment": payment("cancelled"), "reason": "Out of stock"}
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import payment_cancelled as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

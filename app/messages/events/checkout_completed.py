"""Told as `checkout.completed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import checkout, payment

NAME = "checkout.completed"
TITLE = N_("Checkout completed")
DESCRIPTION = N_("The payer has paid on the hosted page.")
EXAMPLE = checkout(state="completed", payment=payment("authorised", authorised=4990))
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import checkout_completed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

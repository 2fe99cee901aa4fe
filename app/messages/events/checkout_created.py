"""Told as `checkout.created`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import checkout, payment

NAME = "checkout.created"
TITLE = N_("Checkout created")
DESCRIPTION = N_("A hosted checkout was opened for a payment.")
EXAMPLE = checkout(payment={"id": payment("created")["id"]})
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import checkout_created as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `checkout.expired`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import checkout

NAME = "checkout.expired"
TITLE = N_("Checkout expired")
DESCRIPTION = N_("Nobody paid on the hosted page in time.")
EXAMPLE = checkout(state="expired")
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import checkout_expired as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

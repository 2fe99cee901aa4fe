"""Told as `checkout.cancelled`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import checkout

NAME = "checkout.cancelled"
TITLE = N_("Checkout cancelled")
DESCRIPTION = N_("The payer left the hosted page without paying, or its payment was cancelled.")
EXAMPLE = checkout(state="cancelled")
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import checkout_cancelled as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

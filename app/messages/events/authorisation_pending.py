"""Told as `authorisation.pending`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "authorisation.pending"
TITLE = N_("Payment pending")
DESCRIPTION = N_("The provider has taken the payment in hand and will decide later.")
EXAMPLE = operation("authorise", "pending", "pending")
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import authorisation_pending as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

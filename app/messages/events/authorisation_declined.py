"""Told as `authorisation.declined`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "authorisation.declined"
TITLE = N_("Payment declined")
DESCRIPTION = N_("The payer's bank or the provider said no. Nothing was reserved.")
EXAMPLE = operation("authorise", "declined", "failed", code="insufficient_funds")
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import authorisation_declined as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `cancellation.declined`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "cancellation.declined"
TITLE = N_("Cancellation declined")
DESCRIPTION = N_("The provider refused to give the reserved money back.")
EXAMPLE = operation("cancel", "declined", "authorised", code="provider_declined", authorised=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import cancellation_declined as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

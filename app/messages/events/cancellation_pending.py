"""Told as `cancellation.pending`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "cancellation.pending"
TITLE = N_("Cancellation pending")
DESCRIPTION = N_("The provider has taken the cancellation in hand and will report later.")
EXAMPLE = operation("cancel", "pending", "authorised", authorised=4990)
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import cancellation_pending as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

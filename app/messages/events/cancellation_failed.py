"""Told as `cancellation.failed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "cancellation.failed"
TITLE = N_("Cancellation not sent")
DESCRIPTION = N_("The provider could not be reached. The money is still reserved.")
EXAMPLE = operation("cancel", "failed", "authorised", code="not_sent", authorised=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import cancellation_failed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

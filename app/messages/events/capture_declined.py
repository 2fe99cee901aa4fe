"""Told as `capture.declined`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "capture.declined"
TITLE = N_("Capture declined")
DESCRIPTION = N_("The provider refused to collect the authorised money.")
EXAMPLE = operation("capture", "declined", "authorised", code="provider_declined", authorised=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import capture_declined as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

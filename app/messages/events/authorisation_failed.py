"""Told as `authorisation.failed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "authorisation.failed"
TITLE = N_("Payment not sent")
DESCRIPTION = N_("The provider could not be reached. Nothing was reserved.")
EXAMPLE = operation("authorise", "failed", "failed", code="not_sent")
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import authorisation_failed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

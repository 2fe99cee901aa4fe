"""Told as `capture.pending`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "capture.pending"
TITLE = N_("Capture pending")
DESCRIPTION = N_("The provider has taken the capture in hand and will report later.")
EXAMPLE = operation("capture", "pending", "authorised", authorised=4990)
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import capture_pending as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

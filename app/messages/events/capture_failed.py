"""Told as `capture.failed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "capture.failed"
TITLE = N_("Capture not sent")
DESCRIPTION = N_("The provider could not be reached. Nothing was collected.")
EXAMPLE = operation("capture", "failed", "authorised", code="not_sent", authorised=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import capture_failed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `capture.succeeded`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "capture.succeeded"
TITLE = N_("Payment captured")
DESCRIPTION = N_("Authorised money was collected, whole or in part.")
EXAMPLE = operation("capture", "succeeded", "captured", authorised=4990, captured=4990)
MAIL = {"shop": "capture_succeeded"}

if TYPE_CHECKING:
    from app.messages.events import capture_succeeded as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `cancellation.succeeded`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "cancellation.succeeded"
TITLE = N_("Payment cancelled")
DESCRIPTION = N_("Reserved money that was not captured was given back.")
EXAMPLE = operation("cancel", "succeeded", "cancelled", authorised=4990, cancelled=4990)
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import cancellation_succeeded as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

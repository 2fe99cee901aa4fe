"""Told as `authorisation.succeeded`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "authorisation.succeeded"
TITLE = N_("Payment authorised")
DESCRIPTION = N_("The payer's money is reserved and can be captured.")
EXAMPLE = operation("authorise", "succeeded", "authorised", authorised=4990)
MAIL = {"shop": "authorisation_succeeded", "payer": "receipt"}

if TYPE_CHECKING:
    from app.messages.events import authorisation_succeeded as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

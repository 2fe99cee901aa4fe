"""Told as `dispute.opened`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import dispute

NAME = "dispute.opened"
TITLE = N_("Dispute opened")
DESCRIPTION = N_("The payer or the payer's bank questions a payment.")
EXAMPLE = dispute("inquiry")
MAIL = {"shop": "dispute"}

if TYPE_CHECKING:
    from app.messages.events import dispute_opened as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

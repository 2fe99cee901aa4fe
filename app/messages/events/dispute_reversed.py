"""Told as `dispute.reversed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import dispute

NAME = "dispute.reversed"
TITLE = N_("Dispute won")
DESCRIPTION = N_("A dispute ended in your favour. The money is yours again.")
EXAMPLE = dispute("reversed")
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import dispute_reversed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `dispute.lost`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import dispute

NAME = "dispute.lost"
TITLE = N_("Dispute lost")
DESCRIPTION = N_("A dispute ended in the payer's favour.")
EXAMPLE = dispute("lost")
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import dispute_lost as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

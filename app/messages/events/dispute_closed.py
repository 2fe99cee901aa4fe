"""Told as `dispute.closed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import dispute

NAME = "dispute.closed"
TITLE = N_("Dispute closed")
DESCRIPTION = N_("An inquiry ended without a chargeback.")
EXAMPLE = dispute("reversed")
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import dispute_closed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `dispute.charged_back`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import dispute

NAME = "dispute.charged_back"
TITLE = N_("Dispute: money charged back")
DESCRIPTION = N_("The payer's bank has taken the money back. You can still answer with evidence.")
EXAMPLE = dispute("charged_back")
MAIL = {"shop": "dispute"}

if TYPE_CHECKING:
    from app.messages.events import dispute_charged_back as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

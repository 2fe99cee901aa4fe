"""Told as `refund.pending`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "refund.pending"
TITLE = N_("Refund pending")
DESCRIPTION = N_("The provider has taken the refund in hand and will report later.")
EXAMPLE = operation("refund", "pending", "captured", amount=1000, authorised=4990, captured=4990)
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import refund_pending as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

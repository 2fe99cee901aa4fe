"""Told as `refund.revoked`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "refund.revoked"
TITLE = N_("Refund came back")
DESCRIPTION = N_("A refund that was confirmed did not reach the payer; the money is back.")
EXAMPLE = operation("refund", "declined", "captured", amount=0, code="revoked", authorised=4990, captured=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import refund_revoked as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

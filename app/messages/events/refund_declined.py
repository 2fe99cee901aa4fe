"""Told as `refund.declined`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "refund.declined"
TITLE = N_("Refund declined")
DESCRIPTION = N_("The provider refused the refund. The payer got nothing back.")
EXAMPLE = operation(
    "refund", "declined", "captured", amount=1000, code="provider_declined", authorised=4990, captured=4990
)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import refund_declined as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

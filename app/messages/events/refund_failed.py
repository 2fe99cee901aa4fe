"""Told as `refund.failed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "refund.failed"
TITLE = N_("Refund not sent")
DESCRIPTION = N_("The provider could not be reached. The payer got nothing back.")
EXAMPLE = operation("refund", "failed", "captured", amount=1000, code="not_sent", authorised=4990, captured=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import refund_failed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

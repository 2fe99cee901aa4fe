"""Told as `payment.late_approval_reversed`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import payment

NAME = "payment.late_approval_reversed"
TITLE = N_("Late approval given back")
DESCRIPTION = N_("A provider approved a payment after it had been given up. The money is being given back.")
EXAMPLE = {"payment": {"id": payment("failed")["id"], "status": "failed"}, "amount": 4990, "currency": "EUR"}
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import payment_late_approval_reversed as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

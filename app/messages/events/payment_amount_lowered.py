"""Told as `payment.amount_lowered`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import payment

NAME = "payment.amount_lowered"
TITLE = N_("Payment asks for less")
DESCRIPTION = N_("Part of what is owed was paid in another checkout. This payment asks for the rest only.")
EXAMPLE = {
    "payment": {"id": payment("failed")["id"], "status": "created", "amount": 2490},
    "receivable": "rcv_01kaexample0000000000000000",
    "amount": 2490,
    "currency": "EUR",
}
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import payment_amount_lowered as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

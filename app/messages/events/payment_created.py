"""Told as `payment.created`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import payment

NAME = "payment.created"
TITLE = N_("Payment created")
DESCRIPTION = N_("A payment was asked for. Nothing has been sent to a provider yet.")
EXAMPLE = {"payment": payment("created")}
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import payment_created as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

"""Told as `authorisation.action_required`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "authorisation.action_required"
TITLE = N_("Payer has to confirm")
DESCRIPTION = N_("The payer has to confirm the payment, for example with 3-D Secure.")
EXAMPLE = operation("authorise", "action", "requires_action")
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import authorisation_action_required as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

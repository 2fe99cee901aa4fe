"""Told as `chargeback.succeeded`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "chargeback.succeeded"
TITLE = N_("Money charged back")
DESCRIPTION = N_("The payer's bank has taken captured money back.")
EXAMPLE = operation("chargeback", "succeeded", "charged_back", authorised=4990, captured=4990, charged_back=4990)
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import chargeback_succeeded as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

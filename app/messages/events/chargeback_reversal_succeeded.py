"""Told as `chargeback_reversal.succeeded`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "chargeback_reversal.succeeded"
TITLE = N_("Chargeback reversed")
DESCRIPTION = N_("Money that had been charged back is yours again.")
EXAMPLE = operation("reversal", "succeeded", "captured", authorised=4990, captured=4990)
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import chargeback_reversal_succeeded as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

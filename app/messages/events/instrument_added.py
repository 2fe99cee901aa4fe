"""Told as `instrument.added`."""

from typing import TYPE_CHECKING

from app.core.texts import N_

NAME = "instrument.added"
TITLE = N_("Means of payment stored")
DESCRIPTION = N_("A card or account can be charged again with the payer's consent.")
EXAMPLE = {
    "instrument": "ins_01jd3q5wcde2f4g6h8j0k2m4np",
    "customer": "cus_01jd1a2b3c4d5e6f7g8h9j0kmn",
    "method": "card",
    "brand": "visa",
}
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import instrument_added as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

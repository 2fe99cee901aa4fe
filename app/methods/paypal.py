"""PayPal: the payer signs in there and comes back."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from app.core.fields import Field
from app.core.texts import N_
from app.methods.kinds import Given, Method

LABEL = "PayPal"
ORDER = 20
NOTE = N_("You confirm the payment at PayPal and then come back here.")
FIELDS: tuple[Field, ...] = ()
MARKS = ("paypal",)
SLOW = True  # PayPal waits for bank debits behind it, and holds some payments for its own review


def read(typed: Mapping[str, str], today: date) -> Given:
    return Given()


if TYPE_CHECKING:
    from app.methods import paypal as _me

    _: Method = _me

"""`/return/<token>`: the payer comes back from the bank or from PayPal, by GET or POST, in a frame or not."""

from typing import TYPE_CHECKING, Any

from flask import request

from app.core.ids import public_id
from app.payments import checkout
from app.payments.come_back import Returned, come_back
from hosted_pages.kinds import Page
from hosted_pages.paper import in_a_frame, message, move_on
from hosted_pages.visit import arrive, use_language, with_parameters

PATH = "/return/<token>"
VERBS = ("GET", "POST")

_MOST_PARAMETERS = 50
_LONGEST = 8_000  # a 3-D Secure answer in base64 fits


def answer(token: str) -> Any:
    returned = come_back(token, _parameters())
    if returned.checkout_id is not None:
        visit = arrive(checkout.token(returned.checkout_id), embed=in_a_frame(unsure=True))
        return move_on(visit.here())
    return _to_the_shop(returned)


def _to_the_shop(returned: Returned) -> Any:
    """A payment made through the API: its own return address, with what became of it."""
    payment = returned.payment
    told = {
        "payment": public_id("pay", payment["id"]),
        "status": payment["status"],
        "merchant_reference": payment["merchant_reference"],
    }
    address = with_parameters(payment["return_url"], told) if payment["return_url"] else None
    if address:
        return move_on(address)
    use_language(payment["language"])
    return message("come_back.html", live=payment["live"])


def _parameters() -> dict[str, str]:
    sent = list(request.args.items()) + list(request.form.items())
    return {name[:100]: value[:_LONGEST] for name, value in sent[:_MOST_PARAMETERS]}


if TYPE_CHECKING:
    from hosted_pages.pages import come_back as _me

    _: Page = _me

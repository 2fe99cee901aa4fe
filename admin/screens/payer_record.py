"""From a payment to what is known of its payer, also of one who paid as a guest."""

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response as AnyResponse

from admin.here import scope
from admin.office import url
from admin.screen import Screen, actor, go, page, say_refused
from app.core.db import atomic
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.privacy.of_guest import of_guest


class PayerRecord(Screen):
    address = "payments"

    @page("/<id>/payer", "customer.erase", ("POST",))
    def open(self, id: str) -> AnyResponse:
        try:
            with atomic(scope()) as work:
                customer = of_guest(work, payment_id=parse_id("pay", id), actor=actor())
        except NotFound:
            raise
        except Refusal as refusal:
            say_refused(refusal)
            return go(url("payments.detail", id=id))
        return go(url("customers.detail", id=public_id("cus", customer["id"])))


SCREEN = PayerRecord

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import payer_record as _me

    _check: ScreenModule = _me

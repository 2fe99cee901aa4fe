"""Payments of which more was taken than was asked for, or more given back than was taken: facts, and work."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from admin.here import connection, here
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from app.core.db import table_of
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id
from app.core.texts import N_
from app.merchants.models import Merchant
from app.payments.queries import PAYMENTS
from app.payments.see_over import UNSEEN, see_over, taken_too_much

_MOST = 200


class Over(Screen):
    address = "over"
    entry = Entry("payments", 45, N_("Too much"), "scales", "over")

    @page("/", "payment.read")
    def index(self) -> str:
        merchants = table_of(Merchant)
        query = (
            select(PAYMENTS, merchants.c.name.label("merchant_name"))
            .join(merchants, merchants.c.id == PAYMENTS.c.merchant_id)
            .where(UNSEEN, PAYMENTS.c.live == here().live)
            .order_by(PAYMENTS.c.id)
            .limit(_MOST)
        )
        rows = [{**row, "taken": max(0, taken_too_much(row))} for row in connection().execute(query).mappings()]  # type: ignore[arg-type]
        return self.show("over", title=_("Too much taken or given back"), rows=rows)

    @page("/<id>/done", "payment.correct", ("POST",))
    def done(self, id: str) -> AnyResponse:
        payment: Any = (
            connection().execute(select(PAYMENTS).where(PAYMENTS.c.id == parse_id("pay", id))).mappings().first()
        )
        if payment is None:
            raise NotFound()
        try:
            see_over(merchant_id=payment["merchant_id"], live=payment["live"], payment_id=payment["id"], actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("It is off the list until there is more of it."))
        return go(url("over.index"))


SCREEN = Over

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import over as _me

    _check: ScreenModule = _me

"""Payments: the list with its filters, and everything about one of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _

from admin import customers_known, merchants_known, shops_known, words
from admin.guard import look_at
from admin.here import connection, here, staff
from admin.listing import Amount, Choice, Filters, Period, cursors, pager
from admin.payment_page import picture
from admin.screen import Entry, Screen, page
from app.connectors import CONNECTORS
from app.core.ids import parse_id
from app.core.texts import N_
from app.payments import search
from app.payments.history import history
from app.payments.states import STATUSES

CURRENCIES = ("EUR", "CHF", "GBP", "USD", "JPY", "KWD")


class Payments(Screen):
    address = "payments"
    entry = Entry("payments", 10, N_("Payments"), "card")

    @page("/", "payment.read")
    def index(self) -> str:
        chips = {
            "status": Choice(_("Status"), ("status",), options={one: _(words.STATUS[one].label) for one in STATUSES}),
            "period": Period(_("Started")),
            "amount": Amount(_("Amount"), currencies=CURRENCIES),
            "method": Choice(_("Method"), ("method",), options=_methods()),
            "merchant": merchants_known.choice(),
            "shop": shops_known.choice(),
            "customer": customers_known.choice(),
        }
        filters = Filters(*chips.values())
        oldest_first = request.args.get("sort") == "oldest"
        found = search.listed(
            connection(), _wanted(chips, here().live), limit=50, oldest_first=oldest_first, **cursors("pay")
        )
        return self.show(
            "payments",
            title=_("Payments"),
            rows=found.rows,
            filters=filters,
            pager=pager(filters, "pay", found),
            oldest_first=oldest_first,
        )

    @page("/<id>", "payment.read")
    def detail(self, id: str) -> str:
        payment_id = parse_id("pay", id)
        story = history(connection(), payment_id)
        look_at(story.payment["live"])
        return self.show("payment", title=_title(story.payment), **picture(connection(), story, staff()))


def _methods() -> dict[str, str]:
    known = sorted({method for connector in CONNECTORS.values() for method in connector.METHODS})
    return {method: _(words.METHODS.get(method, method)) for method in known}


def _wanted(chips: Mapping[str, Any], live: bool) -> search.Filters:
    """A shop narrows to its merchant as well: merchants have an index, shops need none."""
    shops = chips["shop"].ids("shp")
    return search.Filters(
        live=live,
        statuses=chips["status"].chosen,
        methods=chips["method"].chosen,
        merchants=chips["merchant"].ids("mer") or shops_known.merchants_of(shops),
        shops=shops,
        customer=chips["customer"].id,
        currency=chips["amount"].currency,
        least=chips["amount"].least,
        most=chips["amount"].most,
        since=chips["period"].starts,
        until=chips["period"].ends,
    )


def _title(payment: Mapping[str, Any]) -> str:
    return _("Payment %(reference)s", reference=payment["merchant_reference"])


SCREEN = Payments

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import payments as _me

    _check: ScreenModule = _me

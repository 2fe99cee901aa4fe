"""Payments: the list with its filters, and everything about one of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _

from admin import payment_list
from admin.guard import look_at
from admin.here import connection, here, staff
from admin.listing import Filters, cursors, pager
from admin.payment_page import picture
from admin.screen import Entry, Screen, page
from admin.screens.payment_notes import fresh
from app.batches.start import MOST
from app.core.ids import parse_id
from app.core.texts import N_
from app.desks.queries import desk
from app.payments import search
from app.payments.history import history


class Payments(Screen):
    address = "payments"
    entry = Entry("payments", 10, N_("Payments"), "card")

    @page("/", "payment.read")
    def index(self) -> str:
        chips = payment_list.chips()
        filters = Filters(*chips.values())
        oldest_first = request.args.get("sort") == "oldest"
        mine = desk(connection(), staff().id, payment_list.LIST)
        columns = payment_list.shown(mine.columns)
        found = search.listed(
            connection(),
            payment_list.wanted(chips, here().live),
            limit=50,
            oldest_first=oldest_first,
            columns=payment_list.needed(columns),
            **cursors("pay"),
        )
        return self.show(
            "payments",
            title=_("Payments"),
            rows=found.rows,
            filters=filters,
            query=payment_list.query_of(filters),
            hidden=payment_list.pairs_of(chips, request.args),
            saved=mine.filters,
            columns=columns,
            listed=payment_list.LISTED,
            pager=pager(filters, "pay", found),
            oldest_first=oldest_first,
            most=MOST,
        )

    @page("/<id>", "payment.read")
    def detail(self, id: str) -> str:
        payment_id = parse_id("pay", id)
        story = history(connection(), payment_id)
        look_at(story.payment["live"])
        return self.show(
            "payment",
            title=_title(story.payment),
            note=fresh(payment_id),
            **picture(connection(), story, staff()),
        )


def _title(payment: Mapping[str, Any]) -> str:
    return _("Payment %(reference)s", reference=payment["merchant_reference"])


SCREEN = Payments

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import payments as _me

    _check: ScreenModule = _me

"""One box for everything: ids lead straight to their thing, the rest is looked up by every kind on the shelf."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select

from admin.here import connection, here, staff
from admin.office import url
from admin.screen import Screen, go, page
from admin.searches import SEARCHES
from admin.searches.kinds import Asked, Group
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.fast import read_together
from app.core.ids import parse_id, public_id
from app.payments import find
from app.payments.models import Checkout
from app.payments.queries import OPERATIONS, PAYMENTS

# prefix of a public id -> the page about it
_PAGES = {
    "pay": "payments.detail",
    "dsp": "disputes.detail",
    "cus": "customers.detail",
    "bat": "batches.detail",
    "mer": "merchants.detail",
    "shp": "shops.detail",
    "ctr": "contracts.detail",
    "evt": "events.detail",
    "dlv": "deliveries.detail",
    "whe": "endpoints.detail",
    "usr": "users.detail",
}


class Search(Screen):
    address = "search"

    @page("/", "payment.read")
    def index(self) -> Any:
        typed = request.args.get("q", "").strip()[:200]
        direct = _page_of_id(typed)
        if direct:
            return go(direct)
        groups = found(typed, here().live)
        hits = [hit for group in groups for hit in group.hits]
        if len(hits) == 1:
            return go(hits[0].url)
        elsewhere = not groups and bool(found(typed, not here().live))
        return self.show("search", title=_("Search"), asked=typed, groups=groups, elsewhere=elsewhere)


def found(typed: str, live: bool) -> list[Group]:
    """What every kind finds, in one round trip: what is exact first, then the kinds in their order."""
    if not typed:
        return []
    asked = Asked(typed, personal=staff().may("customer.read_personal"))
    kinds = sorted((kind for kind in SEARCHES.values() if staff().may(kind.PERMISSION)), key=lambda kind: kind.ORDER)
    questions = [(kind, question) for kind in kinds for question in [kind.question(asked)] if question is not None]
    answers = read_together(connection(), find.given(typed, live=live), *(question for _kind, question in questions))
    groups: list[Group] = []
    for (kind, _question), rows in zip(questions, answers, strict=True):
        groups += kind.groups(asked, _allowed(rows, kind.PERMISSION))
    return sorted(groups, key=lambda group: not group.exact)


def _allowed(rows: Sequence[Mapping[str, Any]], permission: str) -> list[Mapping[str, Any]]:
    """The database shows the merchants of `payment.read`; what a kind takes may be granted for fewer."""
    return [row for row in rows if staff().may(permission, row["merchant_id"])]


def _page_of_id(text: str) -> str | None:
    """Where an id of ours leads; operations and checkouts to their payment. None: it is not one of ours."""
    prefix = text.partition("_")[0]
    try:
        if prefix in _PAGES:
            parse_id(prefix, text)
            return url(_PAGES[prefix], id=text)
        if prefix == "op":
            return _payment_page(select(OPERATIONS.c.payment_id).where(OPERATIONS.c.id == parse_id("op", text)))
        if prefix == "chk":
            checkouts = table_of(Checkout)
            return _payment_page(select(checkouts.c.payment_id).where(checkouts.c.id == parse_id("chk", text)))
        return _payment_page(select(PAYMENTS.c.id).where(PAYMENTS.c.id == UUID(text)))
    except (NotFound, ValueError):
        return None


def _payment_page(query: Any) -> str | None:
    payment_id = connection().execute(query).scalar()
    return url("payments.detail", id=public_id("pay", payment_id)) if payment_id else None


SCREEN = Search

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import search as _me

    _check: ScreenModule = _me

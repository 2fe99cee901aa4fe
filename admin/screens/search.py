"""One box for everything: ids lead straight to their thing, the rest is looked up among the payments."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select

from admin.here import connection, here
from admin.office import url
from admin.screen import Screen, go, page
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.payments import search
from app.payments.models import Checkout
from app.payments.queries import OPERATIONS, PAYMENTS

_FOUND_BY = {
    ("reference", True): N_("Reference is “%(text)s”"),
    ("email", True): N_("E-mail address is “%(text)s”"),
    ("name", True): N_("Name is “%(text)s”"),
    ("last4", True): N_("Card ends in “%(text)s”"),
    ("reference", False): N_("Reference begins with “%(text)s”"),
    ("email", False): N_("E-mail address begins with “%(text)s”"),
    ("name", False): N_("Name begins with “%(text)s”"),
}

# prefix of a public id -> the page about it
_PAGES = {
    "pay": "payments.detail",
    "dsp": "disputes.detail",
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
        asked = request.args.get("q", "").strip()[:200]
        direct = _page_of_id(asked)
        if direct:
            return go(direct)
        hits = search.found(connection(), asked, live=here().live)
        rows = [row for one in hits for row in one.rows]
        if len(rows) == 1:
            return go(url("payments.detail", id=public_id("pay", rows[0]["id"])))
        elsewhere = not hits and bool(asked) and bool(search.found(connection(), asked, live=not here().live, limit=1))
        return self.show("search", title=_("Search"), asked=asked, groups=_groups(hits, asked), elsewhere=elsewhere)


def _groups(hits: Sequence[search.Hits], asked: str) -> list[dict[str, Any]]:
    return [{"heading": _(_FOUND_BY[one.by, one.exact], text=asked), "rows": one.rows} for one in hits]


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

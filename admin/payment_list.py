"""The list of payments: its filters and its columns, shared by the list, its exports and what is done to many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import ColumnElement, select

from admin import customers_known, formats, merchants_known, personal, shops_known, words
from admin.here import staff
from admin.listing import CURSORS, NOTHING, Amount, Choice, Filter, Filters, Period, Text
from admin.office import url
from app.connectors import CONNECTORS
from app.core.texts import N_
from app.merchants.models import Shop
from app.payments import search
from app.payments.queries import PAYMENTS, left_to_capture
from app.payments.search import COLUMNS
from app.payments.states import STATUSES

CURRENCIES = ("EUR", "CHF", "GBP", "USD", "JPY", "KWD")
LIST = "payments"  # its name on people's desks

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """`classes` place the cell, also on a phone; `exported`: the columns of a file that say the same."""

    label: str
    cell: Callable[[Row], Any]
    classes: str = ""
    exported: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    named: bool = True  # on a phone the cell says what it is


def _plain(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name] or "–"


def _money(name: str) -> Callable[[Row], Any]:
    return lambda row: formats.money(row[name], row["currency"])


# In the order of the list; the amount, which opens the payment, stands before them all.
LISTED: dict[str, Column] = {
    "status": Column(N_("Status"), lambda row: formats.status(row["status"]), "right", ("status",), named=False),
    "reference": Column(N_("Reference"), _plain("merchant_reference"), "full clip", ("reference",), named=False),
    "paid": Column(N_("Paid with"), formats.instrument, "nowrap", ("method", "brand", "last4"), named=False),
    "payer": Column(
        N_("Payer"), personal.payer, "clip more wide-only skip-narrow", ("payer_name", "payer_email"), named=False
    ),
    "merchant": Column(N_("Merchant"), _plain("merchant_name"), "clip skip-narrow", ("merchant",), named=False),
    "shop": Column(N_("Shop"), _plain("shop_name"), "clip", ("shop",), ("shop_id",)),
    "order_number": Column(N_("Order number"), _plain("order_number"), "clip", ("order_number",), ("order_number",)),
    "customer_number": Column(
        N_("Customer number"), _plain("customer_number"), "clip", ("customer_number",), ("customer_number",)
    ),
    "description": Column(
        N_("Description"), _plain("description"), "clip more full", ("description",), ("description",)
    ),
    "captured": Column(N_("Captured"), _money("captured"), "money", ("captured",)),
    "open": Column(
        N_("Still open"),
        lambda row: formats.money(left_to_capture(row), row["currency"]),
        "money",
        ("authorised", "cancelled"),
        ("authorised", "capture_pending", "cancelled", "cancel_pending", "over_captured"),
    ),
    "refunded": Column(N_("Refunded"), _money("refunded"), "money", ("refunded",)),
    "country": Column(N_("Country"), _plain("payer_country"), "", ("country",), ("payer_country",)),
    "id": Column(N_("Payment’s id"), lambda row: _reference(row), "nowrap", ("id",)),
    "started": Column(
        N_("Started"), lambda row: formats.moment(row["created_at"]), "when right", ("started",), named=False
    ),
    "changed": Column(
        N_("Last change"), lambda row: formats.ago(row["updated_at"]), "when", ("changed",), ("updated_at",)
    ),
}
SHIPPED = ("status", "reference", "paid", "payer", "merchant", "started")
_ALWAYS_EXPORTED = ("id", "amount", "currency")


def _reference(row: Row) -> Markup:
    return Markup('<span class="above">{}</span>').format(formats.reference("pay", row["id"]))


def shown(chosen: Sequence[str] | None) -> dict[str, Column]:
    """The columns that somebody chose, in the list's order; names that are no more are passed over."""
    names = SHIPPED if chosen is None else chosen
    return {name: column for name, column in LISTED.items() if name in names}


def needed(columns: Mapping[str, Column]) -> Sequence[ColumnElement[Any]]:
    """What the list reads for these."""
    more = dict.fromkeys(name for column in columns.values() for name in column.needs)
    read = [*COLUMNS, *(PAYMENTS.c[name] for name in more)]
    if "shop" in columns:
        name = select(Shop.name).where(Shop.id == PAYMENTS.c.shop_id).scalar_subquery().label("shop_name")
        return [*read, name]
    return read


def exported(columns: Mapping[str, Column]) -> list[str]:
    """The columns of a file that shows what the list does."""
    return [*_ALWAYS_EXPORTED, *(name for column in columns.values() for name in column.exported)]


def chips() -> dict[str, Any]:
    return {
        "status": Choice(_("Status"), ("status",), options={one: _(words.STATUS[one].label) for one in STATUSES}),
        "period": Period(_("Started")),
        "amount": Amount(_("Amount"), currencies=CURRENCIES),
        "method": Choice(_("Method"), ("method",), options=_methods()),
        "merchant": merchants_known.choice(),
        "shop": shops_known.choice(),
        "customer": customers_known.choice(),
        "email": PayerEmail(_("E-mail"), ("email",), hint=_("The whole e-mail address of a payer.")),
    }


class PayerEmail(Text):
    """Whoever may not see payers' addresses must not find out by asking for them either."""

    def read(self, args: Any) -> None:
        super().read(args)
        self.offered = staff().may(personal.PERMISSION)
        if self.value and not self.offered:
            self.error = _("This is not there, or not for you to see.")


def _merchants(chosen: Sequence[UUID], email: str) -> Sequence[UUID]:
    """With an address: those of the chosen ones whose payers may be looked for."""
    allowed = staff().scope(personal.PERMISSION).merchants if email else None
    if allowed is None:
        return chosen
    return [one for one in chosen or sorted(allowed) if one in allowed] or (NOTHING,)


def wanted(read: Mapping[str, Any], live: bool) -> search.Filters:
    """Of chips that have been read; one that cannot be kept to leaves nothing to list.

    A shop narrows to its merchant too: merchants have an index, shops need none.
    """
    if any(one.error for one in read.values()):
        return search.Filters(live=live, merchants=(NOTHING,))
    shops, email = read["shop"].ids("shp"), read["email"].value.lower()
    merchants = read["merchant"].ids("mer") or shops_known.merchants_of(shops)
    return search.Filters(
        live=live,
        statuses=read["status"].chosen,
        methods=read["method"].chosen,
        merchants=_merchants(merchants, email),
        shops=shops,
        customer=read["customer"].id,
        email=email or None,
        currency=read["amount"].currency,
        least=read["amount"].least,
        most=read["amount"].most,
        since=read["period"].starts,
        until=read["period"].ends,
    )


def query_of(filters: Filters) -> str:
    """The filters alone, as a list's address says them: no page, no mode, nothing that is no filter."""
    known = {name for one in filters.all for name in one.names} | {"sort"}
    pairs = [(name, value) for name, value in filters.args.items(multi=True) if name in known and value]
    return urlencode([pair for pair in pairs if pair[0] not in CURSORS])


def address() -> str:
    """The list with the filters of the present address."""
    query = query_of(Filters(*chips().values()))
    return f"{url('payments.index')}?{query}" if query else url("payments.index")


def pairs_of(read: Mapping[str, Filter], args: Any) -> list[tuple[str, str]]:
    """The same as pairs, for the hidden fields of a form."""
    known = {name for one in read.values() for name in one.names} | {"sort"}
    return [(name, value) for name, value in args.items(multi=True) if name in known and value]


def _methods() -> dict[str, str]:
    known = sorted({method for connector in CONNECTORS.values() for method in connector.METHODS})
    return {method: _(words.METHODS.get(method, method)) for method in known}

"""Customers: who pays again and again; with their payments and stored cards, and their rights under the GDPR."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from admin import actors, merchants_known
from admin.customer_page import picture, wanted_by
from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose, spend
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import Filters, Text, by_id, pager
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.customers.add import CUSTOMERS
from app.customers.restrict import lift, restrict
from app.privacy.erase import erase, preview
from app.privacy.export import export


class WhyForm(OnceForm):
    reason = StringField(_l("Reason"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])


class Customers(Screen):
    address = "customers"
    entry = Entry("payments", 12, N_("Customers"), "person")

    @page("/", "payment.read")
    def index(self) -> str:
        hint = _("How the name, surname, e-mail address or number begins.")
        who, merchant = Text(_("Who"), ("who",), hint=hint), merchants_known.choice()
        filters = Filters(who, merchant)
        query = select(CUSTOMERS).where(CUSTOMERS.c.live == here().live)
        if merchant.chosen:
            query = query.where(CUSTOMERS.c.merchant_id.in_(merchant.ids("mer")))
        if who.value:
            query = query.where(CUSTOMERS.c.id.in_(wanted_by(who.value)))
        found = by_id(query, CUSTOMERS.c.id, "cus")
        return self.show(
            "customers",
            title=_("Customers"),
            rows=found.rows,
            filters=filters,
            pager=pager(filters, "cus", found),
            merchants=merchants_known.names(),
        )

    @page("/<id>", "payment.read")
    def detail(self, id: str) -> str:
        customer = _read(id)
        shown = picture(customer)
        return self.show(
            "customer",
            title=_title(customer),
            customer=customer,
            merchant=merchants_known.names().get(customer["merchant_id"], ""),
            actors=actors.names(one["actor"] for one in shown["events"]),
            **shown,
        )

    @page("/<id>/export", "customer.erase", ("GET", "POST"), fresh=True)
    def export(self, id: str) -> Any:
        customer, form = _read(id), WhyForm()
        what = purpose("export customer", customer["id"])
        if form.validate_on_submit():
            merchant_id, live = customer["merchant_id"], customer["live"]
            try:
                spend(form.once(what), merchant_id, live, ("customer", customer["id"]))
                return _archive(customer, form.reason.data or "")
            except (Repeated, KeyReused):
                say(_("This file was handed out before. Open the form again to make another one."), "wait")
                return go(url("customers.detail", id=id))
        form.nonce.data = form.nonce.data or nonce(what)
        kinds = preview(connection(), customer["id"])
        return self.show("customer_export", title=_("Export what is known"), customer=customer, form=form, kinds=kinds)

    @page("/<id>/erase", "customer.erase", ("GET", "POST"), fresh=True)
    def erase(self, id: str) -> Any:
        customer, form = _read(id), WhyForm()
        if customer["erased_at"] is not None:
            return go(url("customers.detail", id=id))
        if form.validate_on_submit():
            with atomic(of(customer["merchant_id"], customer["live"])) as work:
                erase(work, customer_id=customer["id"], actor=actor(), reason=form.reason.data or "")
            say(_("The data are erased. What the law wants kept stays until its time is over."))
            return go(url("customers.detail", id=id))
        kinds = preview(connection(), customer["id"])
        return self.show("customer_erase", title=_("Erase the customer"), customer=customer, form=form, kinds=kinds)

    @page("/<id>/restrict", "customer.erase", ("GET", "POST"), fresh=True)
    def restrict(self, id: str) -> Any:
        """Restricts, or lifts the restriction there is."""
        customer, form = _read(id), WhyForm()
        is_restricted = customer["restricted_at"] is not None
        if form.validate_on_submit():
            change, done = (lift, _("The restriction is lifted.")) if is_restricted else (restrict, _("Restricted."))
            try:
                with atomic(of(customer["merchant_id"], customer["live"])) as work:
                    change(work, customer_id=customer["id"], reason=form.reason.data or "", actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(done)
            return go(url("customers.detail", id=id))
        title = _("Lift the restriction") if is_restricted else _("Restrict processing")
        return self.show("customer_restrict", title=title, customer=customer, form=form)


def _read(id: str) -> dict[str, Any]:
    row = _row(parse_id("cus", id))
    if row is None:
        raise NotFound()
    look_at(row["live"])
    return {**row}


def _row(customer_id: UUID) -> Mapping[str, Any] | None:
    query = select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)
    return connection().execute(query).mappings().first()  # type: ignore[return-value]


def _title(customer: Mapping[str, Any]) -> str:
    """The name stands in the page, for those who may see it, and not in the title of a browser's window."""
    number = customer["number"]
    return _("Customer %(number)s", number=number) if number else _("Customer")


def _archive(customer: Mapping[str, Any], reason: str) -> Response:
    language = customer["language"] if customer["language"] in ("de", "en") else "en"
    with force_locale(language), atomic(of(customer["merchant_id"], customer["live"])) as work:
        content = export(work, customer_id=customer["id"], actor=actor(), reason=reason, language=language, say=_)
    name = f"{public_id('cus', customer['id'])}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype="application/zip", headers=headers)


SCREEN = Customers

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import customers as _me

    _check: ScreenModule = _me

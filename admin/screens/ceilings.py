"""Amount ceilings of a merchant, per currency: asked, held, refused above."""

from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from admin import choices, formats, merchants_known
from admin.forms import AmountField, OnceForm
from admin.here import connection, here
from admin.listing import Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say
from admin.screens.merchants import read_merchant
from admin.texts import lazy as _l
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.risk.set_ceiling import CEILINGS, LEVELS, set_ceiling


class OptionalAmount(AmountField):
    """Empty: no such ceiling."""

    def pre_validate(self, form: Any) -> None:
        if (self.data or "").strip():
            super().pre_validate(form)
        else:
            self.data, self.minor = "", None


class CeilingForm(OnceForm):
    details_above = OptionalAmount(_l("Ask the payer who they are above"))
    review_above = OptionalAmount(_l("Hold the capture for a review above"))
    deny_above = OptionalAmount(_l("Refuse payments above"))

    def speak(self, currency: str) -> None:
        for field in self.levels().values():
            field.currency = currency

    def levels(self) -> dict[str, OptionalAmount]:
        return dict(zip(LEVELS, (self.details_above, self.review_above, self.deny_above), strict=True))


class Ceilings(Screen):
    address = "ceilings"
    entry = Entry("risk", 30, N_("Amount ceilings"), "scales")

    @page("/", "risk.read")
    def index(self) -> str:
        merchant = merchants_known.choice()
        filters = Filters(merchant)
        query = select(CEILINGS).where(CEILINGS.c.live == here().live)
        if merchant.chosen:
            query = query.where(CEILINGS.c.merchant_id.in_(merchant.ids("mer")))
        rows = connection().execute(query.order_by(CEILINGS.c.merchant_id, CEILINGS.c.currency).limit(500))
        return self.show(
            "ceilings",
            title=_("Amount ceilings"),
            rows=rows.mappings().all(),
            filters=filters,
            merchants=merchants_known.names(),
            currencies=choices.CURRENCIES,
        )

    @page("/choose", "risk.write")
    def choose(self) -> AnyResponse:
        """From the list: whose ceilings, in which currency."""
        return go(url("ceilings.change", id=request.args.get("merchant", ""), currency=request.args.get("currency")))

    @page("/<id>/change", "risk.write", ("GET", "POST"), fresh=True)
    def change(self, id: str) -> Any:
        """`id`: the merchant's; `currency` in the address."""
        merchant, currency = read_merchant(parse_id("mer", id)), request.args.get("currency", "EUR")
        if currency not in choices.CURRENCIES:
            raise NotFound()
        live, form = here().live, CeilingForm(data=_stored(merchant["id"], currency))
        form.speak(currency)
        if form.validate_on_submit():
            levels = {name: field.minor for name, field in form.levels().items()}
            try:
                with atomic(of(merchant["id"], live)) as work:
                    set_ceiling(work, merchant_id=merchant["id"], live=live, currency=currency, **levels, actor=actor())
            except Refusal as refusal:
                if not form.refuse(refusal):
                    raise
            else:
                say(_("Saved. It counts from the next payment on."))
                return go(url("ceilings.index", merchant=public_id("mer", merchant["id"])))
        return self.show(
            "ceiling_form",
            title=_("Amount ceilings in %(currency)s", currency=currency),
            form=form,
            merchant=merchant,
            currency=currency,
            currencies=choices.CURRENCIES,
        )


def _stored(merchant_id: Any, currency: str) -> dict[str, str]:
    """As a person would type it."""
    query = select(CEILINGS).where(
        CEILINGS.c.merchant_id == merchant_id, CEILINGS.c.live == here().live, CEILINGS.c.currency == currency
    )
    row = connection().execute(query).mappings().first()
    return {name: formats.typed(row[name], currency) if row and row[name] is not None else "" for name in LEVELS}


SCREEN = Ceilings

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import ceilings as _me

    _check: ScreenModule = _me

"""Ways to pay of a merchant: what payers can choose, per currency, and which contract is tried first."""

from typing import TYPE_CHECKING, Any

from flask import g, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import belongings, setup
from admin.belongings import Belongings, Rows
from admin.four_eyes import ask_or_do, asked_for
from admin.here import here
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.screens.merchants import read_merchant
from app.connectors import CONNECTORS
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id
from app.merchants import preview
from app.merchants.add import put_in_order
from app.merchants.preview import Preview
from app.methods import METHODS


class Methods(Screen):
    address = "methods"

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        merchant = read_merchant(parse_id("mer", id))
        has = belongings.read(merchant["id"])
        currencies = sorted({currency for one in has.active for currency in one["currencies"]}, key=_euros_first)
        chosen = request.args.get("currency")
        chosen = chosen if chosen in currencies else currencies[0] if currencies else None
        g.frames = "'self'"  # the preview is a page of the checkout (headers.py)
        return self.show(
            "methods",
            title=_("Ways to pay"),
            merchant=merchant,
            currencies=currencies,
            chosen=chosen,
            offered=[(METHODS[name], _takers(has, name, chosen)) for name in has.methods(chosen)] if chosen else [],
            without_page=sorted({name for one in has.active for name in one["methods"]} - set(METHODS)),
            contracts=has.active,
            connectors=CONNECTORS,
            preview=f"/preview/{preview.token(_of_first_shop(merchant['id'], has))}",
            kept=setup.kept(),
            setup=setup.of(merchant, has) if setup.under_way() else None,
        )

    @page("/<id>/earlier", "contract.write", ("POST",))
    def earlier(self, id: str) -> AnyResponse:
        """Tries a contract before the one that is tried before it now."""
        merchant = read_merchant(parse_id("mer", id))
        wanted, order = parse_id("ctr", request.form.get("contract", "")), list(belongings.read(merchant["id"]).active)
        place = next((at for at, one in enumerate(order) if one["id"] == wanted), None)
        if place is None:
            raise NotFound()
        if place:
            before = [one["label"] for one in order]
            order[place - 1], order[place] = order[place], order[place - 1]
            try:
                if _ask_or_put_in_order(merchant, before, order):
                    return asked_for()
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("%(name)s is tried earlier now.", name=order[place - 1]["label"]))
        return go(url("methods.detail", id=id, currency=request.form.get("currency") or None, **setup.kept()))


def _ask_or_put_in_order(merchant: Any, before: list[str], order: Rows) -> bool:
    """True: a second person has to approve it first. Raises NobodyCanApprove, AlreadyAsked."""
    whose = {"merchant_id": order[0]["merchant_id"], "live": order[0]["live"]}
    after, ids = [one["label"] for one in order], [one["id"] for one in order]
    told = {"before": before, "after": after, "order": [str(one) for one in ids]}
    with atomic(of(**whose)) as work:
        if ask_or_do(work, "contract_order", **whose, subject_id=merchant["id"], params=told):
            return True
        put_in_order(work, ids, actor=actor())
        return False


def _takers(has: Belongings, method: str, currency: str) -> Rows:
    """The contracts for it, in the order in which they are tried."""
    return [one for one in has.active if method in one["methods"] and currency in one["currencies"]]


def _of_first_shop(merchant_id: Any, has: Belongings) -> Preview:
    return Preview(merchant_id, here().live, has.shops[0]["id"] if has.shops else None)


def _euros_first(currency: str) -> tuple[bool, str]:
    return currency != "EUR", currency


SCREEN = Methods

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import methods as _me

    _check: ScreenModule = _me

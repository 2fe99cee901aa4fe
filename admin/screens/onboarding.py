"""Setting a merchant up, step by step: what is there, what is missing, and at the end a checkout to try."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import belongings, setup
from admin.belongings import Belongings
from admin.forms import OnceForm, nonce, purpose
from admin.guard import look_at
from admin.here import here
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.screens.merchants import read_merchant
from app.config import settings
from app.connectors import CONNECTORS
from app.core.errors import Conflict, Refusal
from app.core.idempotency import KeyReused, Repeated
from app.core.ids import parse_id, public_id
from app.core.money import exponent
from app.core.texts import N_
from app.payments.checkout import open_checkout
from app.payments.checkout import url as checkout_url
from app.payments.start import Order

_WHOLE_UNITS = 19  # of the currency: a sum that asks for no second thoughts


class NothingToTry(Conflict):
    code = "nothing_to_try"
    message = N_("A checkout needs a shop and a way to pay.")
    advice = N_("Finish the steps before this one.")


class Onboarding(Screen):
    address = "onboarding"

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        merchant = read_merchant(parse_id("mer", id))
        has = belongings.read(merchant["id"])
        form = OnceForm()
        form.nonce.data = nonce(purpose("trial", merchant["id"]))
        return self.show(
            "onboarding",
            title=_("Set up %(name)s", name=merchant["name"]),
            merchant=merchant,
            setup=setup.of(merchant, has),
            has=has,
            form=form,
            connectors=CONNECTORS,
            api=settings().public_url,
            sample=_sample(has),
        )

    @page("/<id>/trial", "merchant.write", ("POST",))
    def trial(self, id: str) -> Any:
        """A checkout with test data, opened at once. It is a payment like any other of the test mode."""
        merchant = read_merchant(parse_id("mer", id))
        look_at(live=False)
        try:
            return _opened(merchant, belongings.read(merchant["id"]), OnceForm())
        except (Repeated, KeyReused):
            say(_("This form was sent before and is done already."), "wait")
        except Refusal as refusal:
            say_refused(refusal)
        return go(url("onboarding.detail", id=id))


def _opened(merchant: Any, has: Belongings, form: OnceForm) -> AnyResponse:
    """Raises NothingToTry, Repeated and what open_checkout() raises."""
    currency = _currency(has)
    if not has.shops or currency is None:
        raise NothingToTry()
    order = Order(
        amount=_WHOLE_UNITS * 10 ** exponent(currency),
        currency=currency,
        merchant_reference=_("Trial payment"),
        description=_("Trial payment"),
        lines=[{"name": _("Trial payment"), "quantity": 1, "amount": _WHOLE_UNITS * 10 ** exponent(currency)}],
        shop_id=has.shops[0]["id"],
        return_url=settings().public_url + url("onboarding.detail", id=public_id("mer", merchant["id"])),
    )
    once = form.once(purpose("trial", merchant["id"]))
    opened = open_checkout(
        order, merchant_id=merchant["id"], live=False, actor=actor(), language=here().language, once=once
    )
    return go(checkout_url(opened.checkout["id"]))


def _currency(has: Belongings) -> str | None:
    """Of the contract that is tried first, euros where it takes them."""
    taken = [currency for one in has.active for currency in one["currencies"] if has.methods(currency)]
    return "EUR" if "EUR" in taken else taken[0] if taken else None


def _sample(has: Belongings) -> str:
    """A request that the merchant's developer can paste into a terminal."""
    currency = _currency(has) or "EUR"
    shop = f', "shop": "{public_id("shp", has.shops[0]["id"])}"' if len(has.shops) > 1 else ""
    return (
        f"curl {settings().public_url}/v1/checkouts \\\n"
        f'  -H "Authorization: Bearer {"sk_live" if here().live else "sk_test"}_…" \\\n'
        f'  -H "Idempotency-Key: order-1001" \\\n'
        f'  --json \'{{"amount": {_WHOLE_UNITS * 10 ** exponent(currency)}, "currency": "{currency}",'
        f' "merchant_reference": "order-1001"{shop}}}\''
    )


SCREEN = Onboarding

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import onboarding as _me

    _check: ScreenModule = _me

"""What an action will do, in one sentence, before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from admin import formats
from app.payments.possible import Possible

Payment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """`button` is what the button says; `warn` marks what cannot be undone; not `ok`: it cannot be done like this."""

    sentence: str
    button: str
    ok: bool = True
    warn: bool = False


def captures(payment: Payment, can: Possible, minor: int, final: bool) -> Effect:
    left = can.capture.amount
    if not 0 < minor <= left:
        return _too_much(payment, left)
    amount, rest = _money(payment, minor), _money(payment, left - minor)
    button = _("Capture %(amount)s", amount=amount)
    taken = _("%(amount)s is taken from %(instrument)s.", amount=amount, instrument=_instrument(payment))
    warn = left != minor and (can.captures_once or final)
    if left == minor:
        after = _("Nothing stays reserved.")
    elif can.captures_once:
        after = _("This provider captures only once: the remaining %(rest)s goes back to the payer.", rest=rest)
    elif final and can.rest_lapses:
        after = _("The remaining %(rest)s is not taken any more; the payer's bank frees it in time.", rest=rest)
    elif final:
        after = _("The remaining %(rest)s goes back to the payer.", rest=rest)
    else:
        after = _("After that %(rest)s can still be captured.", rest=rest)
    return Effect(f"{taken} {after}", button, warn=warn)


def refunds(payment: Payment, can: Possible, minor: int) -> Effect:
    left = can.refund.amount
    if not 0 < minor <= left:
        return _too_much(payment, left)
    amount = _money(payment, minor)
    back = _("%(amount)s goes back to %(instrument)s.", amount=amount, instrument=_instrument(payment))
    if left == minor:
        after = _("After that nothing is left to refund.")
    else:
        after = _("After that %(rest)s can still be refunded.", rest=_money(payment, left - minor))
    return Effect(f"{back} {after}", _("Refund %(amount)s", amount=amount))


def cancels(payment: Payment, minor: int) -> Effect:
    if not minor:
        return Effect(
            _("The attempt is closed; the payer can no longer confirm it. Nothing was reserved."),
            _("Cancel the attempt"),
        )
    amount = _money(payment, minor)
    text = _(
        "The reservation of %(amount)s on %(instrument)s ends. It cannot be captured any more.",
        amount=amount,
        instrument=_instrument(payment),
    )
    return Effect(text, _("Cancel %(amount)s", amount=amount), warn=True)


def _too_much(payment: Payment, left: int) -> Effect:
    return Effect(_("Only %(left)s is left. Type that much or less.", left=_money(payment, left)), _("Check"), ok=False)


def _instrument(payment: Payment) -> str:
    return formats.instrument(payment)


def _money(payment: Payment, minor: int) -> str:
    return formats.money(minor, payment["currency"])

"""Capturing, refunding, cancelling and releasing by hand: each on its own page that says what it will do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, jsonify, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import DataRequired, Length

from admin import formats
from admin.effects import Effect, cancels, captures, refunds
from admin.first_press import told_again
from admin.forms import REQUIRED, TIDY, AmountField, OnceForm, nonce, purpose
from admin.four_eyes import foreseen, permit
from admin.guard import look_at
from admin.here import connection, staff
from admin.office import url
from admin.outcome import tell_outcome
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.approvals.ask import NotYours
from app.core.errors import Refusal
from app.core.idempotency import KeyReused, Once, Repeated
from app.core.ids import parse_id, public_id
from app.core.money import parse_typed
from app.payments.cancel import cancel
from app.payments.capture import CaptureTooHigh, capture
from app.payments.history import overview
from app.payments.possible import Possible, possible
from app.payments.refund import RefundTooHigh, refund
from app.payments.review import release

Payment = Mapping[str, Any]


class MoneyForm(OnceForm):
    """`stated` is the amount (minor units) whose effect the page has shown; only that one is done."""

    amount = AmountField(_l("Amount"))
    final = BooleanField(_l("This is the last capture: the rest is not taken any more"))
    reason = StringField(_l("Reason"), filters=TIDY, validators=[Length(max=200)])
    stated = HiddenField()


class ReasonForm(OnceForm):
    reason = StringField(_l("Reason"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])


class PaymentActions(Screen):
    address = "payments"

    @page("/<id>/capture", "payment.capture", ("GET", "POST"), fresh=True)
    def capture(self, id: str) -> Any:
        payment, can = _read(id)
        if _sent_before("capture", payment):
            return go(_detail(payment["id"]))
        if can.capture.refused:
            return _back(payment, can.capture.refused)
        form = MoneyForm()
        form.amount.currency = payment["currency"]

        def effect(minor: int, final: bool) -> Effect:
            return _captures(payment, can, minor, final)

        def do(minor: int, once: Once) -> None:
            reason = form.reason.data or ""
            done = capture(
                **_whom(payment),
                amount=minor,
                final=form.final.data,
                reason=reason,
                once=once,
                permit=permit(reason),
            )
            tell_outcome("capture", done)

        return self._money(
            *("capture", _("Capture"), payment, can.capture.amount, form, effect, do),
            offer_final=can.keeps_rest and staff().may("payment.cancel", payment["merchant_id"]),
        )

    @page("/<id>/refund", "payment.refund", ("GET", "POST"), fresh=True)
    def refund(self, id: str) -> Any:
        payment, can = _read(id)
        if _sent_before("refund", payment):
            return go(_detail(payment["id"]))
        if can.refund.refused:
            return _back(payment, can.refund.refused)
        form = MoneyForm()
        form.amount.currency = payment["currency"]
        form.reason.validators = [DataRequired(REQUIRED), *form.reason.validators]

        def effect(minor: int, final: bool) -> Effect:
            return foreseen(refunds(payment, can, minor), payment, "refund", minor)

        def do(minor: int, once: Once) -> None:
            reason = form.reason.data or ""
            done = refund(**_whom(payment), amount=minor, reason=reason, once=once, permit=permit(reason))
            tell_outcome("refund", done)

        return self._money("refund", _("Refund"), payment, can.refund.amount, form, effect, do, offer_final=False)

    @page("/<id>/capture/effect", "payment.capture")
    def capture_effect(self, id: str) -> Response:
        payment, can = _read(id)

        def effect(minor: int, final: bool) -> Effect:
            return _captures(payment, can, minor, final)

        return _effect_json(payment, effect)

    @page("/<id>/refund/effect", "payment.refund")
    def refund_effect(self, id: str) -> Response:
        payment, can = _read(id)

        def effect(minor: int, _final: bool) -> Effect:
            return foreseen(refunds(payment, can, minor), payment, "refund", minor)

        return _effect_json(payment, effect)

    @page("/<id>/cancel", "payment.cancel", ("GET", "POST"), fresh=True)
    def cancel(self, id: str) -> Any:
        payment, can = _read(id)
        if _sent_before("cancel", payment):
            return go(_detail(payment["id"]))
        if can.cancel.refused:
            return _back(payment, can.cancel.refused)

        def do(reason: str, once: Once) -> None:
            tell_outcome("cancel", cancel(**_whom(payment), reason=reason, once=once, permit=permit(reason)))

        effect = foreseen(cancels(payment, can.cancel.amount), payment, "cancel", can.cancel.amount)
        return self._plain("cancel", _("Cancel"), payment, effect, do, danger=True)

    @page("/<id>/release", "payment.review", ("GET", "POST"), fresh=True)
    def release(self, id: str) -> Any:
        payment, can = _read(id)
        if _sent_before("release", payment):
            return go(_detail(payment["id"]))
        if can.release.refused:
            return _back(payment, can.release.refused)
        if payment["capture_mode"] != "manual" and not staff().may("payment.capture", payment["merchant_id"]):
            return _back(payment, NotYours(permission="payment.capture"))

        def do(reason: str, once: Once) -> None:
            done = release(**_whom(payment), reason=reason, once=once, permit=permit(reason))
            if done is None or done.operation["state"] != "pending_approval":
                say(_("Released. It can be captured now."))
            if done is not None:
                tell_outcome("capture", done)

        return self._plain("release", _("Release from review"), payment, _releases(payment, can), do)

    def _money(
        self,
        verb: str,
        title: str,
        payment: Payment,
        left: int,
        form: MoneyForm,
        effect: Any,
        do: Any,
        *,
        offer_final: bool,
    ) -> Any:
        """An action with an amount: GET shows it filled in; POST does it once its effect was shown."""
        what = purpose(verb, payment["id"])
        minor = left
        if form.validate_on_submit():
            minor = form.amount.minor or 0
            shown = effect(minor, form.final.data)
            if shown.ok and form.stated.data == _stated(minor, form.final.data):
                answer = _attempt(
                    form, what, f"{minor}|{form.final.data}|{form.reason.data}", payment, lambda once: do(minor, once)
                )
                if answer is not None:
                    return answer
            elif not shown.ok:
                form.amount.errors = [*form.amount.errors, shown.sentence]
        elif request.method == "GET":
            minor = form.amount.kept() or left
            form.amount.data = formats.typed(minor, payment["currency"])
            form.nonce.data = nonce(what)
        shown = effect(minor if not form.amount.errors else left, form.final.data)
        form.stated.data = _stated(minor, form.final.data) if not form.amount.errors else ""
        return self.show(
            "payment_money",
            title=title,
            verb=verb,
            payment=payment,
            left=left,
            form=form,
            effect=shown,
            offer_final=offer_final,
            checked=request.method == "POST" and not form.errors,
        )

    def _plain(self, verb: str, title: str, payment: Payment, effect: Effect, do: Any, *, danger: bool = False) -> Any:
        """An action without an amount."""
        what = purpose(verb, payment["id"])
        form = ReasonForm()
        if form.validate_on_submit():
            answer = _attempt(
                form, what, form.reason.data or "", payment, lambda once: do(form.reason.data or "", once)
            )
            if answer is not None:
                return answer
        elif request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "payment_plain", title=title, verb=verb, payment=payment, form=form, effect=effect, danger=danger
        )


def _captures(payment: Payment, can: Possible, minor: int, final: bool) -> Effect:
    rest = can.capture.amount - minor if final else 0
    return foreseen(captures(payment, can, minor, final), payment, "capture", minor, max(0, rest))


def _releases(payment: Payment, can: Possible) -> Effect:
    """What captures itself is captured by it; whatever date it had, if that has come."""
    amount = can.release.amount
    if not amount:
        return Effect(_("The payment goes on and can be captured."), _("Release"))
    sentence = _("The payment goes on, and %(amount)s is captured at once.", amount=_money(payment, amount))
    return foreseen(Effect(sentence, _("Release")), payment, "capture", amount)


def _sent_before(verb: str, payment: Payment) -> bool:
    return request.method == "POST" and told_again(verb, purpose(verb, payment["id"]), payment)


def _read(id: str) -> tuple[Payment, Possible]:
    payment = overview(connection(), parse_id("pay", id))
    look_at(payment["live"])
    return payment, possible(connection(), payment)


def _whom(payment: Payment) -> dict[str, Any]:
    return {
        "merchant_id": payment["merchant_id"],
        "live": payment["live"],
        "payment_id": payment["id"],
        "actor": actor(),
    }


def _attempt(form: OnceForm, what: str, body: str, payment: Payment, do: Any) -> AnyResponse | None:
    """Does it, once. None: it was refused in a way that belongs to a field; the form is shown again."""
    once = form.once(what, body)
    try:
        do(once)
    except (Repeated, KeyReused):
        told_again(what.partition(" ")[0], what, payment)  # it was sent twice at the same moment
    except (CaptureTooHigh, RefundTooHigh) as refusal:
        left = _money(payment, refusal.values["left"])
        form["amount"].errors = [_("Only %(left)s is left. Type that much or less.", left=left)]
        return None
    except Refusal as refusal:
        if form.refuse(refusal):
            return None
        say_refused(refusal)
    return go(_detail(payment["id"]))


def _effect_json(payment: Payment, effect: Any) -> Response:
    """What the page says while somebody types. Nothing is changed."""
    final = request.args.get("final") == "1"
    try:
        minor = parse_typed(request.args.get("amount", "")[:40], payment["currency"])
        shown = effect(minor, final)
    except Refusal as refusal:
        shown = Effect(formats.said(refusal.message, **refusal.values), _("Check"), ok=False)
        minor = 0
    return jsonify(
        sentence=shown.sentence, button=shown.button, ok=shown.ok, stated=_stated(minor, final) if shown.ok else ""
    )


def _stated(minor: int, final: bool) -> str:
    return f"{minor}{'f' if final else ''}"


def _money(payment: Payment, minor: Any) -> str:
    return formats.money(int(minor), payment["currency"])


def _detail(payment_id: UUID) -> str:
    return url("payments.detail", id=public_id("pay", payment_id))


def _back(payment: Payment, refusal: Refusal) -> AnyResponse:
    say_refused(refusal)
    return go(_detail(payment["id"]))


SCREEN = PaymentActions

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import payment_actions as _me

    _check: ScreenModule = _me

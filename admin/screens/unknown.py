"""The worklist of operations without an answer, or pending for too long: how old, and "ask now"."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, StringField
from wtforms.validators import DataRequired, Length

from admin import formats, words
from admin.fields import options
from admin.forms import REQUIRED, TIDY, Form
from admin.four_eyes import asked_for, asker
from admin.here import connection, here
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.approvals.ask import ask
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.merchants.models import Merchant
from app.payments.again import way
from app.payments.enquire import enquire_now
from app.payments.queries import AUTHORISATIONS, CONTRACTS, OPERATIONS, PAYMENTS
from app.payments.worklist import SENT_AT, WAITS_FOR_STAFF

_MOST = 200

# How each provider's UNKNOWN is resolved, in words.
HOW = {
    "by_id": N_("We ask the provider again and again."),
    "by_reference": N_("We ask the provider again and again."),
    "by_resend": N_("We send it again under the same key, which does not make it happen twice."),
    "by_news": N_("Only a message from the provider or a settlement file can tell."),
}
PROMISED = N_("The provider has it and promised to tell, and has not told for too long.")


class CorrectionForm(Form):
    outcome = RadioField(_l("What happened"), validators=[DataRequired(_l("Choose what happened."))])
    reason = StringField(_l("How you know"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.outcome.choices = options({"succeeded": _("It succeeded"), "declined": _("It did not happen")})


class Unknown(Screen):
    address = "unknown"
    entry = Entry("payments", 30, N_("Without an answer"), "question", "unknown")

    @page("/", "payment.read")
    def index(self) -> str:
        return self.show("unknown", title=_("Without an answer"), rows=_rows(), how=_how, kinds=words.KIND)

    @page("/<id>/ask", "payment.enquire", ("POST",))
    def ask(self, id: str) -> AnyResponse:
        operation_id = parse_id("op", id)
        row = (
            connection()
            .execute(select(OPERATIONS.c.merchant_id, OPERATIONS.c.live).where(OPERATIONS.c.id == operation_id))
            .first()
        )
        if row is None:
            raise NotFound()
        try:
            done = enquire_now(operation_id, merchant_id=row.merchant_id, live=row.live, actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            _tell(done.operation)
        return go(url("unknown.index"))

    @page("/<id>/correct", "payment.correct", ("GET", "POST"), fresh=True)
    def correct(self, id: str) -> Any:
        """Asks a second person to record how it ended. Nothing is changed until then."""
        operation = _read(parse_id("op", id))
        form = CorrectionForm()
        if form.validate_on_submit():
            try:
                with atomic(of(operation["merchant_id"], operation["live"])) as work:
                    ask(
                        work,
                        "correction",
                        asker(),
                        merchant_id=operation["merchant_id"],
                        live=operation["live"],
                        subject_id=operation["id"],
                        params=_wanted(operation, form.outcome.data),
                        reason=form.reason.data or "",
                        always=True,
                    )
            except Refusal as refusal:
                say_refused(refusal)
            else:
                return asked_for()
        return self.show(
            "unknown_correct", title=_("Record the outcome"), form=form, operation=operation, kinds=words.KIND
        )


def _read(operation_id: UUID) -> Any:
    """Raises NotFound."""
    query = (
        select(OPERATIONS, PAYMENTS.c.merchant_reference)
        .join(PAYMENTS, PAYMENTS.c.id == OPERATIONS.c.payment_id)
        .where(OPERATIONS.c.id == operation_id, WAITS_FOR_STAFF)
    )
    row = connection().execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _wanted(operation: Any, outcome: str) -> dict[str, Any]:
    return {
        "payment_id": str(operation["payment_id"]),
        "merchant_reference": operation["merchant_reference"],
        "operation": public_id("op", operation["id"]),
        "outcome": outcome,
        "amount": operation["amount"],
        "currency": operation["currency"],
    }


def _tell(operation: Any) -> None:
    state = operation["state"]
    if state in ("unknown", "submitted"):
        say(_("Still no answer. It stays reserved, and we keep asking."), "wait")
        return
    kind = formats.said(words.KIND[operation["kind"]])
    say(_("%(kind)s: %(state)s.", kind=kind, state=formats.said(words.OPERATION[state].label)))


def _rows() -> Any:
    """The oldest first."""
    query = (
        select(
            OPERATIONS,
            SENT_AT.label("since"),
            PAYMENTS.c.merchant_reference,
            PAYMENTS.c.brand,
            PAYMENTS.c.last4,
            *(AUTHORISATIONS.c[name] for name in ("provider", "method", "instrument_id", "store", "replaces_id")),
            CONTRACTS.c.label.label("contract_label"),
            Merchant.name.label("merchant_name"),
        )
        .join(PAYMENTS, PAYMENTS.c.id == OPERATIONS.c.payment_id)
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .join(CONTRACTS, CONTRACTS.c.id == OPERATIONS.c.contract_id)
        .join(Merchant, Merchant.id == OPERATIONS.c.merchant_id)
        .where(WAITS_FOR_STAFF, OPERATIONS.c.live == here().live)
        .order_by(SENT_AT)
        .limit(_MOST)
    )
    return connection().execute(query).mappings().all()


def _how(row: Any) -> str:
    if row["state"] == "pending":
        return formats.said(PROMISED)
    return formats.said(HOW[way(row, row)])


SCREEN = Unknown

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import unknown as _me

    _check: ScreenModule = _me

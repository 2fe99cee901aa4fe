"""A form that is sent a second time: what became of the first, told as it is by now."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from admin.forms import OnceForm
from admin.guard import FormTooOld
from admin.here import connection
from admin.outcome import tell_outcome
from admin.screen import say
from app.core.idempotency import IdempotencyKey
from app.payments.perform import Done
from app.payments.queries import OPERATIONS

Payment = Mapping[str, Any]
_KINDS = {"cancel": ("cancel", "authorise"), "release": ("capture",)}


def told_again(verb: str, purpose: str, payment: Payment) -> bool:
    """True: this form did its work before, and what came of it was said. `verb`: capture, refund, cancel or release."""
    try:
        key = OnceForm().once(purpose).key
    except FormTooOld:
        return False  # whoever handles the form says so
    sent = connection().execute(
        select(IdempotencyKey.subject_type, IdempotencyKey.subject_id).where(
            IdempotencyKey.merchant_id == payment["merchant_id"],
            IdempotencyKey.live == payment["live"],
            IdempotencyKey.key == key,
        )
    )
    first = sent.first()
    if first is None:
        return False
    _tell(verb, _operation(verb, payment, first.subject_type, first.subject_id), payment)
    return True


def _tell(verb: str, operation: Mapping[str, Any] | None, payment: Payment) -> None:
    if operation is not None and operation["state"] == "submitted":
        say(_("This form was sent before, and is being worked on just now. Look again in a moment."), "wait")
    elif operation is None or operation["state"] == "succeeded" or operation["kind"] == "authorise":
        say(_("This form was sent before and is done already. Here is the payment as it is now."), "wait")
    else:
        say(_("This form was sent before. This is what came of it:"), "wait")
        tell_outcome("capture" if verb == "release" else verb, Done(payment, operation))


def _operation(verb: str, payment: Payment, subject_type: str, subject_id: Any) -> Mapping[str, Any] | None:
    """Cancelling and releasing remember their payment: it is its newest operation of that kind."""
    query = select(OPERATIONS).where(OPERATIONS.c.payment_id == payment["id"])
    if subject_type == "operation":
        query = query.where(OPERATIONS.c.id == subject_id)
    else:
        query = query.where(OPERATIONS.c.kind.in_(_KINDS.get(verb, (verb,))))
    found = connection().execute(query.order_by(OPERATIONS.c.id.desc()).limit(1)).mappings().first()
    return None if found is None else {**found}

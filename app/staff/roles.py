"""The roles that are shipped. To add one, add an entry, or make one in the screen; the code never asks for a role."""

from dataclasses import dataclass

from app.core.texts import N_

_LOOK = ("payment.read", "dispute.read", "merchant.read", "delivery.read", "risk.read", "approval.read")
_READ = (*_LOOK, "customer.read_personal", "event.read", "job.read")
_TEND = (*_READ, "payment.note", "payment.enquire", "delivery.replay", "dispute.evidence")


@dataclass(frozen=True, slots=True)
class Shipped:
    """`permissions`: names and patterns, see permissions.expand(). `second_factor`: holders need one."""

    label: str
    description: str
    permissions: tuple[str, ...]
    second_factor: bool = False


ROLES: dict[str, Shipped] = {
    "support": Shipped(
        N_("Support"), N_("Sees everything about payments, writes notes, moves no money."), (*_READ, "payment.note")
    ),
    "capture_desk": Shipped(
        N_("Capture desk"),
        N_("Captures and cancels payments."),
        (*_TEND, "payment.capture", "payment.cancel", "payment.review"),
        second_factor=True,
    ),
    "refund_desk": Shipped(N_("Refund desk"), N_("Refunds payments."), (*_TEND, "payment.refund"), second_factor=True),
    "operator": Shipped(
        N_("Operator"),
        N_("Sees payments, captures, refunds and cancels them."),
        (*_TEND, "payment.capture", "payment.refund", "payment.cancel", "payment.review"),
        second_factor=True,
    ),
    "supervisor": Shipped(
        N_("Supervisor"),
        N_("Does what an operator does, approves what others ask for, corrects records."),
        (
            *(*_TEND, "payment.capture", "payment.refund", "payment.cancel", "payment.review", "payment.correct"),
            *("approval.decide", "risk.write", "export.payments", "export.events", "instrument.reveal"),
        ),
        second_factor=True,
    ),
    "accountant": Shipped(
        N_("Accountant"),
        N_("Sees payments and the books, exports and closes them; sees no payers' names."),
        (*_LOOK, "event.read", "export.payments", "export.events", "ledger.prove", "ledger.close"),
    ),
    "merchant_viewer": Shipped(
        N_("Merchant, viewing"), N_("For a merchant's own people: sees payments and disputes."), _LOOK
    ),
    "merchant_owner": Shipped(
        N_("Merchant, owning"),
        N_("For a merchant's own people: does everything about the merchant but approving rules and users."),
        (
            *(*_TEND, "payment.capture", "payment.refund", "payment.cancel", "payment.review"),
            *("merchant.write", "contract.write", "api_key.write", "endpoint.write", "risk.write"),
            *("customer.erase", "approval.decide", "export.payments", "export.events"),
        ),
        second_factor=True,
    ),
    "admin": Shipped(N_("Administrator"), N_("May do everything."), ("*",), second_factor=True),
}

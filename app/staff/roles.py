"""The roles that are shipped. To add one, add an entry; the code never asks for a role."""

from dataclasses import dataclass

from app.core.texts import N_

_READ = (
    *("payment.read", "dispute.read", "merchant.read", "event.read", "delivery.read"),
    "job.read",
)


@dataclass(frozen=True, slots=True)
class Shipped:
    """`permissions`: names and patterns, see permissions.expand()."""

    label: str
    description: str
    permissions: tuple[str, ...]


ROLES: dict[str, Shipped] = {
    "support": Shipped(N_("Support"), N_("Sees everything about payments, changes nothing."), _READ),
    "operator": Shipped(
        N_("Operator"),
        N_("Sees payments, captures, refunds and cancels them."),
        (
            *_READ,
            *("payment.capture", "payment.refund", "payment.cancel", "payment.review", "payment.enquire"),
            "delivery.replay",
        ),
    ),
    "admin": Shipped(N_("Administrator"), N_("May do everything."), ("*",)),
}

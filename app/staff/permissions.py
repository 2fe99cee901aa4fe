"""What staff may do. Code asks for permissions, never for roles; what nobody was granted is refused."""

from collections.abc import Iterable

from app.core.texts import N_

# name: what it allows, as the screen of users shows it
PERMISSIONS: dict[str, str] = {
    "payment.read": N_("See payments, their history and bookings"),
    "payment.capture": N_("Capture payments"),
    "payment.refund": N_("Refund payments"),
    "payment.cancel": N_("Cancel payments"),
    "payment.review": N_("Release payments held for a risk review"),
    "payment.enquire": N_("Ask providers about operations without an answer"),
    "dispute.read": N_("See disputes"),
    "merchant.read": N_("See merchants, shops, contracts, API keys and webhook endpoints"),
    "merchant.write": N_("Add and change merchants and shops"),
    "contract.write": N_("Add and change contracts with providers"),
    "api_key.write": N_("Issue, rotate and revoke API keys"),
    "endpoint.write": N_("Add and change webhook endpoints"),
    "event.read": N_("See events"),
    "delivery.read": N_("See webhook deliveries"),
    "delivery.replay": N_("Send webhook deliveries again"),
    "job.read": N_("See queues, jobs and the health of the system"),
    "job.retry": N_("Run failed jobs again"),
    "ledger.prove": N_("Run the proofs of the books"),
    "user.read": N_("See users"),
    "user.write": N_("Add users, change their roles, deactivate them"),
}

# What everybody who is logged in may do: the own account, language, password, logging out.
SELF = "self"


def expand(patterns: Iterable[str]) -> frozenset[str]:
    """`*`, `payment.*` and plain names -> the permissions they stand for. Unknown names stand for nothing."""
    wanted = set(patterns)
    return frozenset(name for name in PERMISSIONS if wanted & {"*", name, f"{name.partition('.')[0]}.*"})

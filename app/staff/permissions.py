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
    "payment.note": N_("Write notes on payments"),
    "payment.correct": N_("Correct what the program recorded (with a second pair of eyes)"),
    "payment.enquire": N_("Ask providers about operations without an answer"),
    "customer.read_personal": N_("See names, addresses and e-mail addresses of payers"),
    "customer.erase": N_("Erase and restrict customers, export what is known of one person"),
    "instrument.reveal": N_("See account numbers in full"),
    "approval.read": N_("See requests for approval"),
    "approval.decide": N_("Approve or reject what others ask for"),
    "approval.rules": N_("Say what needs a second pair of eyes"),
    "export.payments": N_("Export payments"),
    "dispute.read": N_("See disputes"),
    "dispute.evidence": N_("Open, add and remove evidence on disputes"),
    "merchant.read": N_("See merchants, shops, contracts, API keys and webhook endpoints"),
    "merchant.add": N_("Add merchants"),
    "merchant.write": N_("Change merchants, add and change their shops"),
    "contract.write": N_("Add and change contracts with providers"),
    "api_key.write": N_("Issue, rotate and revoke API keys"),
    "endpoint.write": N_("Add and change webhook endpoints"),
    "risk.read": N_("See block list and amount ceilings"),
    "risk.write": N_("Change block list and amount ceilings"),
    "event.read": N_("See events"),
    "export.events": N_("Export events"),
    "delivery.read": N_("See webhook deliveries"),
    "delivery.replay": N_("Send webhook deliveries again"),
    "job.read": N_("See queues, jobs and the health of the system"),
    "job.retry": N_("Run failed jobs again"),
    "ledger.prove": N_("Run the proofs of the books"),
    "ledger.close": N_("See how far books are closed, and close them"),
    "user.read": N_("See users"),
    "user.write": N_("Add users, change their roles, deactivate them"),
    "role.write": N_("Make and change roles"),
}

# What concerns no single merchant: only a grant over all merchants carries it.
EVERYWHERE = frozenset(
    {"merchant.add", "job.read", "job.retry", "ledger.prove", "user.read", "user.write", "role.write"}
)

# What everybody who is logged in may do: the own account, language, password, logging out.
SELF = "self"


def expand(patterns: Iterable[str]) -> frozenset[str]:
    """`*`, `payment.*` and plain names -> the permissions they stand for. Unknown names stand for nothing."""
    wanted = set(patterns)
    return frozenset(name for name in PERMISSIONS if wanted & {"*", name, f"{name.partition('.')[0]}.*"})

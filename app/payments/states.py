"""The lives in this room, and the words for a payment's status."""

from app.core.events import Audience
from app.core.states import Life

# The sums that a payment and each of its authorisations carry (minor units).
AMOUNTS = (
    *("authorised", "captured", "capture_pending", "cancelled", "cancel_pending"),
    *("refunded", "refund_pending", "charged_back", "over_captured", "over_returned"),
)

KINDS = ("authorise", "capture", "cancel", "refund", "chargeback", "reversal")

# The noun under which an operation's events are told: capture.succeeded, authorisation.declined, ...
NOUN = {
    "authorise": "authorisation",
    "capture": "capture",
    "cancel": "cancellation",
    "refund": "refund",
    "chargeback": "chargeback",
    "reversal": "chargeback_reversal",
}

_PUBLIC: Audience = "public"
_STAFF: Audience = "staff"
_INTERNAL: Audience = "internal"

# From SUBMITTED everything can follow; UNKNOWN is left only by knowledge. A no or a lapse that turns out
# to have been a yes (late news) is a fact and is booked as one.
OPERATION = Life(
    "operation",
    start="created",
    edges={
        ("created", "submitted"): ("{noun}.submitted", _INTERNAL),
        # Reserved, and waiting for somebody else's yes (app/approvals).
        ("pending_approval", "submitted"): ("{noun}.submitted", _INTERNAL),
        ("pending_approval", "failed"): ("{noun}.withdrawn", _STAFF),
        ("submitted", "succeeded"): ("{noun}.succeeded", _PUBLIC),
        ("submitted", "declined"): ("{noun}.declined", _PUBLIC),
        ("submitted", "failed"): ("{noun}.failed", _PUBLIC),
        ("submitted", "pending"): ("{noun}.pending", _PUBLIC),
        ("submitted", "action"): ("{noun}.action_required", _PUBLIC),
        ("submitted", "unknown"): ("{noun}.outcome_unknown", _STAFF),
        ("action", "submitted"): None,
        ("action", "succeeded"): ("{noun}.succeeded", _PUBLIC),
        ("action", "declined"): ("{noun}.declined", _PUBLIC),
        ("action", "pending"): ("{noun}.pending", _PUBLIC),
        ("action", "unknown"): ("{noun}.outcome_unknown", _STAFF),
        ("action", "failed"): ("{noun}.failed", _PUBLIC),
        ("pending", "succeeded"): ("{noun}.succeeded", _PUBLIC),
        ("pending", "declined"): ("{noun}.declined", _PUBLIC),
        ("pending", "failed"): ("{noun}.failed", _PUBLIC),
        ("pending", "unknown"): ("{noun}.outcome_unknown", _STAFF),
        ("unknown", "succeeded"): ("{noun}.succeeded", _PUBLIC),
        ("unknown", "declined"): ("{noun}.declined", _PUBLIC),
        ("unknown", "failed"): ("{noun}.failed", _PUBLIC),
        ("unknown", "pending"): ("{noun}.pending", _PUBLIC),
        ("unknown", "action"): ("{noun}.action_required", _PUBLIC),
        ("unknown", "submitted"): None,
        ("declined", "succeeded"): ("{noun}.succeeded", _PUBLIC),
        ("failed", "succeeded"): ("{noun}.succeeded", _PUBLIC),
        ("succeeded", "declined"): ("{noun}.revoked", _PUBLIC),
    },
)

FINAL = frozenset({"succeeded", "declined", "failed"})
OPEN = frozenset({"created", "pending_approval", "submitted", "action", "pending", "unknown"})

DISPUTE = Life(
    "dispute",
    start="inquiry",
    edges={
        ("inquiry", "charged_back"): ("dispute.charged_back", _PUBLIC),
        ("inquiry", "reversed"): ("dispute.closed", _PUBLIC),
        ("inquiry", "lost"): ("dispute.lost", _PUBLIC),
        ("charged_back", "reversed"): ("dispute.reversed", _PUBLIC),
        ("charged_back", "lost"): ("dispute.lost", _PUBLIC),
        ("reversed", "charged_back"): ("dispute.charged_back", _PUBLIC),
        ("reversed", "lost"): ("dispute.lost", _PUBLIC),
        ("lost", "reversed"): ("dispute.reversed", _PUBLIC),
    },
)

# While a dispute can still be argued: evidence comes and goes.
DISPUTE_OPEN = ("inquiry", "charged_back")

CHECKOUT = Life(
    "checkout",
    start="open",
    edges={
        ("open", "completed"): ("checkout.completed", _PUBLIC),
        ("open", "expired"): ("checkout.expired", _PUBLIC),
        ("open", "cancelled"): ("checkout.cancelled", _PUBLIC),
    },
)

# Where a payment without any authorised amount stands.
STAGES = ("created", "requires_action", "pending", "authorised", "failed", "cancelled", "expired")

# The stored generated column `payments.status`. Money words first, then the stage.
STATUS_SQL = """
CASE
    WHEN captured > 0 AND charged_back > 0 THEN 'charged_back'
    WHEN captured > 0 AND refunded >= captured THEN 'refunded'
    WHEN captured > 0 AND refunded > 0 THEN 'partially_refunded'
    WHEN captured > 0 AND captured + cancelled < authorised THEN 'partially_captured'
    WHEN captured > 0 THEN 'captured'
    WHEN authorised > cancelled THEN 'authorised'
    ELSE stage
END
"""

STATUSES = (
    "created",
    "requires_action",
    "pending",
    "authorised",
    "partially_captured",
    "captured",
    "partially_refunded",
    "refunded",
    "cancelled",
    "expired",
    "failed",
    "charged_back",
)

# What may follow each status. Late facts lead back: a yes after a no, a dispute that was won. (For the picture of a
# payment's states; what really happens follows from the operations, and a test compares.)
NEXT: dict[str, tuple[str, ...]] = {
    "created": ("requires_action", "pending", "authorised", "failed", "cancelled", "expired"),
    "requires_action": ("pending", "authorised", "failed", "cancelled", "expired"),
    "pending": ("requires_action", "authorised", "failed", "cancelled", "expired"),
    "authorised": ("partially_captured", "captured", "cancelled", "expired"),
    "partially_captured": ("captured", "partially_refunded", "refunded", "charged_back"),
    "captured": ("partially_refunded", "refunded", "charged_back"),
    "partially_refunded": ("refunded", "charged_back"),
    "refunded": ("charged_back",),
    "charged_back": ("partially_captured", "captured", "partially_refunded", "refunded"),
    "failed": ("requires_action", "pending", "authorised", "cancelled", "expired"),
    "cancelled": ("authorised",),
    "expired": ("authorised",),
}
# The way most payments go, and where it ends otherwise.
ROAD = (
    *("created", "requires_action", "pending", "authorised", "partially_captured", "captured"),
    *("partially_refunded", "refunded"),
)
ENDS = ("failed", "cancelled", "expired", "charged_back")
# Ended without any money taken: no voucher.
NEVER_PAID = ("failed", "cancelled", "expired")

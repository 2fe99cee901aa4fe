"""The life of a request for approval."""

from app.core.events import Audience
from app.core.states import Life

_STAFF: Audience = "staff"

APPROVAL = Life(
    "approval",
    start="pending",
    edges={
        ("pending", "approved"): ("approval.approved", _STAFF),
        ("pending", "rejected"): ("approval.rejected", _STAFF),
        ("pending", "withdrawn"): ("approval.withdrawn", _STAFF),
        ("pending", "expired"): ("approval.expired", _STAFF),
        ("pending", "stale"): ("approval.stale", _STAFF),
        ("approved", "executed"): ("approval.executed", _STAFF),
        ("approved", "failed"): ("approval.failed", _STAFF),
    },
)
CLOSED = frozenset({"rejected", "withdrawn", "expired", "stale", "executed", "failed"})

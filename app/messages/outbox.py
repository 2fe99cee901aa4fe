"""The outbox of webhooks: what a claim is, and what became of it.

A claim is a lease, taken and committed before anything is sent (claim.py); only its holder may record
(record.py). Of one endpoint and payment at most one delivery is under way, the earliest first; one that
fails holds back the later ones of its payment for an hour at most. Both work under one lock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from app.messages.webhook import Outcome, Webhook

# A dead worker's deliveries are free again after this; with the sweep (10 s) they go out within 60 s.
LEASE = timedelta(seconds=40)
HOLDS_BACK_FOR = timedelta(hours=1)
_LOCK = 7_230_003


@dataclass(frozen=True, slots=True)
class Claim:
    id: UUID
    lease: UUID
    endpoint_id: UUID
    payment_id: UUID | None
    attempts: int
    created_at: datetime
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Result:
    """`outcome` None: not tried after all, to be claimed again."""

    claim: Claim
    outcome: Outcome | None


def lock(connection: Connection) -> None:
    """One claimer or recorder at a time, over all workers, until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

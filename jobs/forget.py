"""How long each kind of data is kept, and why: one table, and the job that sees to it.

What the law wants kept stays until its time is over; what nobody needs goes earlier. The books themselves (entries,
events, operations) are never removed by the program: they hold ids, amounts and codes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.ids import first_of
from app.core.queue import DEFAULT

AT = "03:30"
QUEUE = DEFAULT


@dataclass(frozen=True, slots=True)
class Kept:
    """`sql` forgets at most :many of what is older than :before (a time) or :first (the smallest id of that time)."""

    what: str
    why: str
    sql: str
    days: int = 0
    years: int = 0  # whole years after the end of the calendar year, Europe/Berlin

    def before(self, at: datetime) -> datetime:
        """What began before this has served its time."""
        if not self.years:
            return at - timedelta(days=self.days)
        zone = ZoneInfo("Europe/Berlin")
        return datetime(at.astimezone(zone).year - self.years, 1, 1, tzinfo=zone).astimezone(UTC)


_VOUCHERS = "§ 147 (3) AO, § 257 (4) HGB: vouchers, 8 years"

KEPT = (
    Kept(
        "Runs of jobs",
        "only to see that they ran",
        "DELETE FROM job_runs WHERE (name, slot) IN (SELECT name, slot FROM job_runs WHERE slot < :before LIMIT :many)",
        days=7,
    ),
    Kept(
        "How much waited in queues",
        "to see what is usual",
        "DELETE FROM queue_depths WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM queue_depths WHERE hour < :before LIMIT :many))",
        days=100,
    ),
    Kept(
        "Idempotency keys",
        "what the API promises",
        "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM idempotency_keys WHERE created_at < :before LIMIT :many))",
        days=30,
    ),
    Kept(
        "What e-mails said, and to whom",
        "Art. 5 (1) c GDPR: nobody needs it after sending",
        "UPDATE mails SET sealed = NULL WHERE id IN (SELECT id FROM mails WHERE sealed IS NOT NULL"
        " AND state <> 'pending' AND created_at < :before LIMIT :many)",
        days=1,
    ),
    Kept(
        "Files of exports",
        "Art. 5 (1) c GDPR: they are downloaded or asked for again",
        "DELETE FROM exports WHERE id IN (SELECT id FROM exports WHERE asked_at < :before LIMIT :many)",
        days=7,
    ),
    Kept(
        "Secrets that were approved and never fetched",
        "a secret that waits can be stolen; whoever comes later rotates the key",
        "UPDATE approval_requests SET sealed = NULL WHERE id IN (SELECT id FROM approval_requests"
        " WHERE sealed IS NOT NULL AND decided_at < :before LIMIT :many)",
        days=7,
    ),
    Kept(
        "Cards given to be kept, whose payment failed",
        "Art. 5 (1) c GDPR: they never came into use",
        "WITH old AS (SELECT id FROM instruments WHERE pending AND created_at < :before LIMIT :many),"
        " tokens AS (DELETE FROM instrument_tokens USING old WHERE instrument_id = old.id)"
        " DELETE FROM instruments USING old WHERE instruments.id = old.id",
        days=7,  # a payer may take days to confirm
    ),
    Kept(
        "Deliveries of webhooks that ended",
        "to find faults, and to send again",
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE created_at < :before"
        " AND state <> 'pending' ORDER BY created_at LIMIT :many)",
        days=90,
    ),
    Kept(
        "Lists of what was done to many payments at once",
        "to look at the results; what was done stands in the books",
        "WITH old AS (SELECT id FROM batches WHERE finished_at < :before LIMIT :many),"
        " rows AS (DELETE FROM batch_rows USING old WHERE batch_id = old.id)"
        " DELETE FROM batches USING old WHERE batches.id = old.id",
        days=90,
    ),
    Kept(
        "Names and network addresses of members of staff in events",
        "PCI DSS 10.5.1: audit trails, a year",
        # What staff did is found by its index; a window keeps the search short in the years after. What such an event
        # says of other people stays with it for its own time.
        "DELETE FROM event_details WHERE event_id IN ((SELECT d.event_id FROM events e JOIN event_details d"
        " ON d.event_id = e.id WHERE e.actor LIKE 'staff:%' AND e.id < :first AND e.id >= :window"
        " AND d.body - '{ip_address,device,request_id}'::text[] = '{}' LIMIT :many) UNION ALL"
        " (SELECT d.event_id FROM events e JOIN event_details d ON d.event_id = e.id"
        " WHERE e.subject_type = 'staff' AND d.event_id < :first LIMIT :many))",
        days=365,
    ),
    Kept(
        "Sessions of the staff",
        "Art. 32 GDPR: to find intruders",
        "DELETE FROM staff_sessions WHERE id IN (SELECT id FROM staff_sessions WHERE seen_at < :before LIMIT :many)",
        days=90,
    ),
    Kept(
        "Links sent to the staff",
        "to answer questions about them",
        "DELETE FROM staff_links WHERE id IN (SELECT id FROM staff_links WHERE created_at < :before LIMIT :many)",
        days=90,
    ),
    Kept(
        "Messages of providers, as they came",
        "chargebacks are answered with them for up to 540 days",
        "UPDATE inbox SET sealed = '' WHERE id IN (SELECT id FROM inbox WHERE received_at < :before AND sealed <> ''"
        " AND state IN ('read', 'refused') LIMIT :many)",
        days=550,
    ),
    Kept(
        "Fingerprints of cards on attempts to pay",
        "fraud is told of by chargebacks for up to 540 days; until then the card can be blocked",
        "UPDATE authorisations SET card_fingerprint = NULL WHERE id IN (SELECT id FROM authorisations"
        " WHERE id < :first AND id >= :window AND card_fingerprint IS NOT NULL LIMIT :many)",
        days=550,
    ),
    Kept(
        "What payers answered to a risk check",
        "chargebacks are answered with it for up to 540 days",
        "DELETE FROM taken_steps WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM taken_steps WHERE taken_at < :before LIMIT :many))",
        days=550,
    ),
    Kept(
        "Evidence on disputes",
        "§§ 195, 199 (1) BGB: until what the payer owes lapses",
        # From the last news of the dispute on, whatever it was: a provider may never tell how one ended.
        "UPDATE documents SET sealed = NULL, filename = '', note = '', erased_at = now() WHERE id IN"
        " (SELECT d.id FROM documents d JOIN disputes p ON p.id = d.subject_id WHERE d.subject_type = 'dispute'"
        " AND d.erased_at IS NULL AND d.created_at < :before AND p.updated_at < :before LIMIT :many)",
        years=3,
    ),
    Kept(
        "What staff noted on payments",
        "§ 195, § 199 BGB: claims lapse after 3 years",
        "UPDATE payment_notes SET sealed = NULL, erased_at = now() WHERE id IN (SELECT id FROM payment_notes"
        " WHERE erased_at IS NULL AND written_at < :before LIMIT :many)",
        years=3,
    ),
    Kept(
        "Payers' names and addresses in events",
        _VOUCHERS,
        "DELETE FROM event_details WHERE event_id IN (SELECT event_id FROM event_details WHERE event_id < :first"
        " LIMIT :many)",
        years=8,
    ),
    Kept(
        "Payers' names and addresses on payments",
        _VOUCHERS,
        # All of a year fall due on one day; a window keeps the search short in the years after.
        "UPDATE payments SET payer_name = NULL, payer_email = NULL WHERE id IN (SELECT id FROM payments"
        " WHERE id < :first AND id >= :window AND (payer_name IS NOT NULL OR payer_email IS NOT NULL) LIMIT :many)",
        years=8,
    ),
)
_WINDOW = timedelta(days=800)


def run(limit: int) -> int:
    return max(forget(kept, 50 * limit) for kept in KEPT)


def forget(kept: Kept, many: int) -> int:
    """Forgets up to `many` of one kind. Returns how many."""
    before = kept.before(now())
    values = {"before": before, "first": first_of(before), "window": first_of(before - _WINDOW), "many": many}
    with atomic(ALL) as connection:
        needed = {name: value for name, value in values.items() if f":{name}" in kept.sql}
        return connection.execute(text(kept.sql), needed).rowcount


if TYPE_CHECKING:
    from jobs import forget as _me
    from jobs.kinds import Daily

    _: Daily = _me

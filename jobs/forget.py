"""How long each kind of data is kept, and why: one table, and the job that sees to it.

What the law wants kept stays until its time is over; what nobody needs goes earlier. The books themselves (entries,
events, operations) are never removed by the program: they hold ids, amounts and codes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, text

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.core.gone import TRAIL_DAYS, VOUCHER_YEARS
from app.core.ids import first_of
from app.core.queue import DEFAULT
from app.privacy import erase as privacy

log = structlog.get_logger()

AT = "03:30"
QUEUE = DEFAULT


@dataclass(frozen=True, slots=True)
class Kept:
    """`sql` forgets at most :many of what is older than :before (a time) or :first (the smallest id of that time).

    With `each` it only finds the ids of what is to be forgotten, and `each` forgets one.
    """

    what: str
    why: str
    sql: str
    days: int = 0
    years: int = 0  # whole years after the end of the calendar year, Europe/Berlin
    each: Callable[[Connection, UUID], object] | None = None

    def before(self, at: datetime) -> datetime:
        """What began before this has served its time."""
        if not self.years:
            return at - timedelta(days=self.days)
        zone = ZoneInfo("Europe/Berlin")
        return datetime(at.astimezone(zone).year - self.years, 1, 1, tzinfo=zone).astimezone(UTC)


_VOUCHERS = "§ 147 (3) AO, § 257 (4) HGB: vouchers, 8 years"
_CLAIMS = "§ 195, § 199 BGB: claims lapse after 3 years"
_NO_VOUCHER = "Art. 5 (1) e GDPR: no money was taken, so there is no voucher; questions come within a year"
# Nothing is reserved any more, and nothing was taken.
_NEVER_PAID = "p.captured = 0 AND p.status IN ('created', 'requires_action', 'failed', 'cancelled', 'expired')"
_LEFT = "SELECT id FROM staff_users WHERE NOT active AND update_datetime < :before"


def _erase_customer(connection: Connection, customer_id: UUID) -> None:
    privacy.erase(connection, customer_id=customer_id, actor="job:forget", reason="retention")


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
        "Names of members of staff, and network addresses of theirs and of merchants' programs, in events",
        "PCI DSS 10.5.1: audit trails, a year",
        # What staff did is found by its index; a window keeps the search short in the years after. What such an event
        # says of other people stays with it for its own time.
        "DELETE FROM event_details WHERE event_id IN ((SELECT d.event_id FROM events e JOIN event_details d"
        " ON d.event_id = e.id WHERE e.actor LIKE 'staff:%' AND e.id < :first AND e.id >= :window"
        " AND d.body - '{ip_address,device,request_id}'::text[] = '{}' LIMIT :many) UNION ALL"
        " (SELECT d.event_id FROM event_details d JOIN events e ON e.id = d.event_id WHERE d.event_id < :first"
        " AND d.event_id >= :lately AND e.actor LIKE 'key:%'"
        " AND d.body - '{ip_address,device,request_id}'::text[] = '{}' LIMIT :many) UNION ALL"
        " (SELECT d.event_id FROM events e JOIN event_details d ON d.event_id = e.id"
        " WHERE e.subject_type = 'staff' AND d.event_id < :first LIMIT :many))",
        days=TRAIL_DAYS,
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
        "Names and addresses on payments that were never paid",
        _NO_VOUCHER,
        f"WITH old AS (SELECT p.id FROM payments p WHERE p.id < :first AND p.id >= :window AND {_NEVER_PAID}"  # noqa: S608 - our own words
        " AND (p.payer_name IS NOT NULL OR p.payer_email IS NOT NULL OR p.customer_number IS NOT NULL) LIMIT :many)"
        " UPDATE payments SET payer_name = NULL, payer_email = NULL, customer_number = NULL FROM old"
        " WHERE payments.id = old.id",
        days=365,
    ),
    Kept(
        "Names and addresses in events of payments that were never paid",
        _NO_VOUCHER,
        "DELETE FROM event_details WHERE event_id IN (SELECT d.event_id FROM payments p JOIN events e"  # noqa: S608 - our own words
        " ON e.payment_id = p.id JOIN event_details d ON d.event_id = e.id"
        f" WHERE p.id < :first AND p.id >= :window AND d.event_id < :first AND {_NEVER_PAID} LIMIT :many)",
        days=TRAIL_DAYS,
    ),
    Kept(
        "Saved filters and columns of members of staff who left",
        "Art. 5 (1) e GDPR: nobody uses them",
        f"WITH columns AS (DELETE FROM chosen_columns WHERE user_id IN ({_LEFT}))"  # noqa: S608 - our own words
        f" DELETE FROM saved_filters WHERE id IN (SELECT id FROM saved_filters WHERE user_id IN ({_LEFT})"
        " AND NOT shared LIMIT :many)",
        days=90,
    ),
    Kept(
        "Stored cards that have lapsed and are not used",
        "Art. 5 (1) e GDPR: nothing can be charged with them; chargebacks come for up to 540 days",
        "WITH old AS (SELECT i.id FROM instruments i WHERE NOT i.pending AND i.created_at < :before"
        " AND i.expiry_year IS NOT NULL AND make_date(i.expiry_year::int, i.expiry_month::int, 1) < :before"
        " AND (i.active OR i.holder IS NOT NULL OR i.fingerprint IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM payments p"
        " WHERE p.instrument_id = i.id AND p.id >= :first) LIMIT :many),"
        " tokens AS (DELETE FROM instrument_tokens USING old WHERE instrument_id = old.id)"
        " UPDATE instruments SET active = false, holder = NULL, fingerprint = NULL FROM old"
        " WHERE instruments.id = old.id",
        days=550,
    ),
    Kept(
        "Customers who have not paid since",
        _CLAIMS,
        # With everything else that is known of them, and told like every erasure. Who is restricted stays (Art. 18).
        "SELECT c.id FROM customers c WHERE c.erased_at IS NULL AND c.restricted_at IS NULL AND c.created_at < :before"
        " AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.live = c.live AND p.customer_id = c.id AND p.id >= :first)"
        " AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.live = c.live AND p.email_key = c.email_key"
        " AND p.merchant_id = c.merchant_id AND p.id >= :first)"
        " AND NOT EXISTS (SELECT 1 FROM instruments i WHERE i.customer_id = c.id AND i.created_at >= :before)"
        " ORDER BY c.id LIMIT least(:many, 200)",
        years=3,
        each=_erase_customer,
    ),
    Kept(
        "Requests for approval, and what was said about them",
        _CLAIMS,
        "WITH old AS (SELECT id FROM approval_requests WHERE state NOT IN ('pending', 'approved')"
        " AND requested_at < :before LIMIT :many),"
        " said AS (DELETE FROM approval_comments USING old WHERE request_id = old.id)"
        " DELETE FROM approval_requests USING old WHERE approval_requests.id = old.id",
        years=3,
    ),
    Kept(
        "What entries of block lists are recognised by",
        _CLAIMS,
        # The keyed hash goes on blocking until the merchant removes it; it names nobody.
        "UPDATE block_entries SET hint = '', reason = '' WHERE id IN (SELECT id FROM block_entries"
        " WHERE created_at < :before AND (hint <> '' OR reason <> '') LIMIT :many)",
        years=3,
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
        _CLAIMS,
        "UPDATE payment_notes SET sealed = NULL, erased_at = now() WHERE id IN (SELECT id FROM payment_notes"
        " WHERE erased_at IS NULL AND written_at < :before LIMIT :many)",
        years=3,
    ),
    Kept(
        "Payers' names and addresses in events",
        _VOUCHERS,
        "DELETE FROM event_details WHERE event_id IN (SELECT event_id FROM event_details WHERE event_id < :first"
        " LIMIT :many)",
        years=VOUCHER_YEARS,
    ),
    Kept(
        "Payers' names and addresses on payments",
        _VOUCHERS,
        # All of a year fall due on one day; a window keeps the search short in the years after.
        "UPDATE payments SET payer_name = NULL, payer_email = NULL, customer_number = NULL WHERE id IN (SELECT id"
        " FROM payments WHERE id < :first AND id >= :window"
        " AND (payer_name IS NOT NULL OR payer_email IS NOT NULL OR customer_number IS NOT NULL) LIMIT :many)",
        years=VOUCHER_YEARS,
    ),
    Kept(
        "Names and addresses of members of staff who left",
        "§ 147 (3) AO: whoever booked can be named as long as the vouchers are kept, 8 years",
        "WITH old AS (SELECT id FROM staff_users WHERE NOT active AND update_datetime < :before"
        " AND email NOT LIKE '%@left.invalid' LIMIT :many),"
        " factors AS (DELETE FROM staff_second_factors USING old WHERE user_id = old.id),"
        " passkeys AS (DELETE FROM staff_webauthn USING old WHERE user_id = old.id)"
        " UPDATE staff_users SET name = NULL, email = old.id || '@left.invalid', current_login_ip = NULL,"
        " last_login_ip = NULL FROM old WHERE staff_users.id = old.id",
        years=VOUCHER_YEARS,
    ),
)
_WINDOW = timedelta(days=800)
_LATELY = timedelta(days=40)  # where there are many and no index knows them: the job runs every night


def run(limit: int) -> int:
    return max(forget(kept, 50 * limit) for kept in KEPT)


def forget(kept: Kept, many: int) -> int:
    """Forgets up to `many` of one kind. Returns how many."""
    before = kept.before(now())
    values = {"before": before, "first": first_of(before), "window": first_of(before - _WINDOW)}
    values |= {"lately": first_of(before - _LATELY), "many": many}
    with atomic(ALL) as connection:
        needed = {name: value for name, value in values.items() if f":{name}" in kept.sql}
        found = connection.execute(text(kept.sql), needed)
        if kept.each is None:
            return found.rowcount
        return sum(_forgotten(connection, kept.each, one) for one in found.scalars().all())


def _forgotten(connection: Connection, each: Callable[[Connection, UUID], object], one: UUID) -> bool:
    try:
        each(connection, one)
    except Refusal as refusal:  # it is refused before anything is done; the others do not wait for it
        log.error("not_forgotten", id=str(one), code=refusal.code)
        return False
    return True


if TYPE_CHECKING:
    from jobs import forget as _me
    from jobs.kinds import Daily

    _: Daily = _me

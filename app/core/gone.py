"""`unexplained()`: details of events that are gone, though nobody was erased and their time is not over.

The application may delete details, for erasures (app/privacy) and for what is old (jobs/forget.py), and the sealed
chain stays whole without them. Whoever takes away what stood before a change, or from where it was made, looks the same
to the chain; so each one that is missing needs a reason that can be read in the log itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.core.clock import now
from app.core.db import ALL, reading
from app.core.ids import first_of

TRAIL_DAYS = 365  # where somebody of the staff was, and what a payment that was never paid says of its payer
VOUCHER_YEARS = 8
MOST = 1_000

# By tables' names: what a person's payments and cards are is known further up, which core does not import.
_UNEXPLAINED = text(
    """
    SELECT l.position, e.id, e.name FROM events e JOIN event_log l ON l.event_id = e.id
    WHERE e.details_digest IS NOT NULL AND e.id >= :vouchers
      AND NOT EXISTS (SELECT 1 FROM event_details d WHERE d.event_id = e.id)
      AND NOT (e.id < :trail AND (e.actor LIKE 'staff:%' OR e.actor LIKE 'key:%' OR e.subject_type = 'staff'
               OR EXISTS (SELECT 1 FROM payments p WHERE p.id = e.payment_id AND p.captured = 0)))
      AND NOT EXISTS (
          SELECT 1 FROM events erased WHERE erased.subject_type = 'customer' AND erased.name = 'customer.erased'
            AND erased.happened_at >= e.happened_at AND erased.subject_id IN (
                SELECT e.subject_id WHERE e.subject_type = 'customer'
                UNION ALL SELECT i.customer_id FROM instruments i
                          WHERE e.subject_type = 'instrument' AND i.id = e.subject_id
                UNION ALL SELECT p.customer_id FROM payments p WHERE p.id = e.payment_id))
    ORDER BY l.position LIMIT :most
    """
)


@dataclass(frozen=True, slots=True)
class Gone:
    """An event whose details are missing."""

    position: int
    event_id: UUID
    name: str


def unexplained() -> Sequence[Gone]:
    """The first 1,000 of them, in the order of the log."""
    at = now()
    year = at.astimezone(ZoneInfo("Europe/Berlin")).year
    vouchers = datetime(year - VOUCHER_YEARS, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    values = {
        "vouchers": first_of(vouchers),
        "trail": first_of(at - timedelta(days=TRAIL_DAYS)),
        "most": MOST,
    }
    with reading(ALL) as connection:
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        return [Gone(*row) for row in connection.execute(_UNEXPLAINED, values)]

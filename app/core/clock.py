"""Two times.

`now()` is real: leases, retries, tokens, rate limits, seals, audit. `business_now()` may be moved
forward for sandbox merchants: due dates, expiry, dunning, interest.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The real time, UTC, aware."""
    return datetime.now(UTC)


def business_now(clock_offset_seconds: int) -> datetime:
    """The merchant's business time, UTC: real time plus the offset stored at a sandbox merchant (never negative)."""
    return now() + timedelta(seconds=clock_offset_seconds)


def business_today(clock_offset_seconds: int, timezone: str) -> date:
    """Today's date where the merchant is."""
    return business_now(clock_offset_seconds).astimezone(ZoneInfo(timezone)).date()

"""Two times.

`now()` is real: leases, retries, tokens, rate limits, seals, audit. `business_now()` may be moved
forward for sandbox merchants: due dates, expiry, dunning, interest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.config import settings

_replayed: ContextVar[timedelta | None] = ContextVar("replayed", default=None)


def now() -> datetime:
    """The real time, UTC, aware."""
    back = _replayed.get()
    return datetime.now(UTC) - back if back else datetime.now(UTC)


@contextmanager
def replaying(moment: datetime) -> Iterator[None]:
    """Demo data is a history: what happens in the block happens from `moment` on. Only outside live environments."""
    assert settings().environment != "live", "history is not rewritten where money is real"
    token = _replayed.set(datetime.now(UTC) - moment)
    try:
        yield
    finally:
        _replayed.reset(token)


def business_now(clock_offset_seconds: int) -> datetime:
    """The merchant's business time, UTC: real time plus the offset stored at a sandbox merchant (never negative)."""
    return now() + timedelta(seconds=clock_offset_seconds)


def business_today(clock_offset_seconds: int, timezone: str) -> date:
    """Today's date where the merchant is."""
    return business_now(clock_offset_seconds).astimezone(ZoneInfo(timezone)).date()

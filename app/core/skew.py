"""Is this host's clock right? Leases are moments that one host writes and another compares with its own clock, so a
host that is far off would ask about calls that are under way, or send on leases that are over."""

import structlog
from sqlalchemy import text

from app.core.clock import now
from app.core.db import single

log = structlog.get_logger()

MOST_SECONDS = 5.0  # a lease is 60 s, a call ends 10 s before it does: this leaves room


def skew_seconds() -> float:
    """How far this host is ahead of the database (behind: negative), less what the question itself took."""
    with single() as connection:
        before = now()
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        after = now()
    if before <= theirs <= after:
        return 0.0
    return (before - theirs).total_seconds() if theirs < before else (after - theirs).total_seconds()


def is_right() -> bool:
    """Logs an error if it is not. Raises what the database raises when it is away."""
    ahead = skew_seconds()
    if abs(ahead) <= MOST_SECONDS:
        return True
    log.error("clock_is_wrong", seconds_ahead_of_the_database=round(ahead, 1), most=MOST_SECONDS)
    return False

"""`relay()`: committed events get their position, and what follows from them later is written down."""

from app.core.reactions import react_later
from app.core.sequence import sequence


def relay(limit: int = 500) -> int:
    """Takes up to `limit` events a step further each. Returns how many at most: below `limit`, nothing waits."""
    return max(sequence(limit), react_later(limit))

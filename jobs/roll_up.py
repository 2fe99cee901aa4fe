"""Rolls up what changed into figures per hour and day, for the dashboards."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.figures.roll_up import roll_up

EVERY = 60
QUEUE = DEFAULT
_EVENTS_PER_THING = 200  # cheap ones: a transaction reads 20,000 of them


def run(limit: int) -> int | str:
    most = _EVENTS_PER_THING * limit
    done = roll_up(most)
    if done.events == most:  # there may be more
        return limit
    return f"{done.events} events, {done.hours} hours"


if TYPE_CHECKING:
    from jobs import roll_up as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

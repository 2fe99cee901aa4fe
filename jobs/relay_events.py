"""Positions committed events, and writes the deliveries and mails that follow from them."""

import time
from typing import TYPE_CHECKING

from app.core.queue import DELIVERIES
from app.messages.relay import relay
from jobs._stopping import STOPPING

EVERY = 10
QUEUE = DELIVERIES
# A relay costs the same for one event as for a hundred. An event of a quiet moment goes at once, those of a busy
# one go together.
GATHER_SECONDS = 0.1

_ended = 0.0


def run(limit: int) -> int:
    global _ended
    quiet = time.monotonic() - _ended
    if quiet < GATHER_SECONDS:
        STOPPING.wait(GATHER_SECONDS - quiet)
    done = relay(5 * limit)  # cheap ones
    _ended = time.monotonic() if done < 5 * limit else 0.0
    return done


if TYPE_CHECKING:
    from jobs import relay_events as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

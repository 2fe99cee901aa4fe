"""Positions committed events, and writes the deliveries and mails that follow from them."""

from typing import TYPE_CHECKING

from app.core.queue import DELIVERIES
from app.messages.relay import relay

EVERY = 10
QUEUE = DELIVERIES


def run(limit: int) -> int:
    return relay(5 * limit)  # cheap ones


if TYPE_CHECKING:
    from jobs import relay_events as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""Sends webhooks that are due; warns of endpoints that fail."""

from typing import TYPE_CHECKING

from app.core.queue import DELIVERIES
from app.messages.deliver import deliver
from app.messages.health import warn_failing
from app.messages.relay import relay
from jobs._stopping import STOPPING
from jobs.run import application

EVERY = 10
QUEUE = DELIVERIES


def run(limit: int) -> str:
    warn_failing()
    return f"{deliver(application(), stop=STOPPING.is_set, relay=relay)} delivered"


if TYPE_CHECKING:
    from jobs import deliver_webhooks as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

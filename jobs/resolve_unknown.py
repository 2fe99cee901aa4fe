"""Asks providers about operations without a final answer, and for what a notification of the yes did not say."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.payments.fetch_details import fetch_details
from app.payments.resolve import resolve_due
from jobs.run import application

EVERY = 5
QUEUE = DEFAULT


def run(limit: int) -> int:
    return max(resolve_due(application(), limit), fetch_details(limit))


if TYPE_CHECKING:
    from jobs import resolve_unknown as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""Asks providers about operations without a final answer."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.payments.resolve import resolve_due
from jobs.run import application

EVERY = 5
QUEUE = DEFAULT


def run(limit: int) -> int:
    return resolve_due(application(), limit)


if TYPE_CHECKING:
    from jobs import resolve_unknown as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""Captures and cancels what somebody chose in the back office, row by row."""

from typing import TYPE_CHECKING

from app.batches.work import work
from app.core.queue import DEFAULT
from jobs.run import application

EVERY = 10
QUEUE = DEFAULT


def run(limit: int) -> int:
    return work(application(), limit)


if TYPE_CHECKING:
    from jobs import do_batches as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""Closes requests for approval that are over, and settles what was approved."""

from typing import TYPE_CHECKING

from app.approvals.sweep import sweep
from app.core.queue import DEFAULT

EVERY = 60
QUEUE = DEFAULT


def run(limit: int) -> int:
    return sweep(limit)


if TYPE_CHECKING:
    from jobs import approvals as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

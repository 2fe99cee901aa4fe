"""Captures by date, and automatic captures that a crash left undone."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.payments import capture_due as capturing
from jobs.run import application

EVERY = 30
QUEUE = DEFAULT


def run(limit: int) -> int:
    return capturing.capture_due(application(), limit)


if TYPE_CHECKING:
    from jobs import capture_due as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""Measures how much waits in every queue, for the dashboards."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.figures.depths import measure

EVERY = 60
QUEUE = DEFAULT


def run(limit: int) -> str:
    return f"{measure()} queues"


if TYPE_CHECKING:
    from jobs import measure_queues as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

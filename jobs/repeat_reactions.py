"""Repeats reactions that failed."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.core.reactions import repeat_failed

EVERY = 60
QUEUE = DEFAULT


def run(limit: int) -> str:
    return f"{repeat_failed(limit)} repeated"


if TYPE_CHECKING:
    from jobs import repeat_reactions as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

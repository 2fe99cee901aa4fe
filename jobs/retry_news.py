"""Reads notifications again that fitted nothing, or that nobody got round to reading."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.payments.news import retry_unmatched

EVERY = 60
QUEUE = DEFAULT


def run(limit: int) -> str:
    return f"{retry_unmatched(limit)} read again"


if TYPE_CHECKING:
    from jobs import retry_news as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""Closes what lapses by time: authorisations, checkouts, payments and actions that payers never took."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.payments import expire

EVERY = 60
QUEUE = DEFAULT


def run(limit: int) -> int:
    return max(
        expire.expire_authorisations(limit),
        expire.expire_checkouts(limit),
        expire.expire_unpaid(limit),
        expire.expire_actions(limit),
    )


if TYPE_CHECKING:
    from jobs import expire as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

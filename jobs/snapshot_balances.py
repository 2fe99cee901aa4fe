"""Takes snapshots of the ledger's balances, so that a balance is read from few lines."""

from typing import TYPE_CHECKING

from app.core.db import ALL, atomic
from app.core.queue import DEFAULT
from app.ledger.balance import snapshot

EVERY = 900
QUEUE = DEFAULT


def run(limit: int) -> str:
    with atomic(ALL) as connection:
        return f"{snapshot(connection)} accounts"


if TYPE_CHECKING:
    from jobs import snapshot_balances as _me
    from jobs.kinds import Sweep

    _: Sweep = _me

"""`finish()`: batches without a waiting row are over, and say how they ended."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from app.batches.models import BATCHES, ROWS
from app.batches.start import tell_of
from app.core.clock import now
from app.core.db import ALL, atomic


def finish() -> int:
    """Returns how many were over."""
    waiting = select(ROWS.c.batch_id).where(ROWS.c.batch_id == BATCHES.c.id, ROWS.c.state == "waiting")
    with atomic(ALL) as connection:
        over = connection.execute(
            update(BATCHES)
            .where(BATCHES.c.finished_at.is_(None), ~waiting.exists())
            .values(finished_at=now())
            .returning(BATCHES)
        )
        found = [dict(batch) for batch in over.mappings()]
        for batch in found:
            _tell(connection, batch)
    return len(found)


def _tell(connection: Connection, batch: Mapping[str, Any]) -> None:
    ended = connection.execute(
        select(ROWS.c.merchant_id, ROWS.c.state, func.count())
        .where(ROWS.c.batch_id == batch["id"])
        .group_by(ROWS.c.merchant_id, ROWS.c.state)
    )
    counts = {(row[0], row[1]): row[2] for row in ended}
    for merchant_id in batch["merchants"]:
        data = {state: counts.get((merchant_id, state), 0) for state in ("done", "refused", "stopped")}
        tell_of(batch, merchant_id, "batch.finished", data, batch["actor"])

"""`stop()`: what nobody has begun is left alone; what is under way ends as it ends."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, select, update

from app.batches.models import BATCHES, ROWS
from app.batches.start import tell_of
from app.core.clock import now
from app.core.db import transaction
from app.core.errors import NotFound
from app.payments.offers import Verb


def stop(connection: Connection, batch_id: UUID, verb: Verb, *, actor: str) -> int:
    """How many rows are left undone; a second time changes nothing.

    Raises NotFound, also for whoever may not do this for all merchants of the batch.
    """
    batch = (
        connection.execute(select(BATCHES).where(BATCHES.c.id == batch_id, BATCHES.c.verb == verb).with_for_update())
        .mappings()
        .first()
    )
    if batch is None or not all(transaction().scope.admits(merchant) for merchant in batch["merchants"]):
        raise NotFound()
    if batch["stopped_at"] is not None or batch["finished_at"] is not None:
        return 0
    connection.execute(update(BATCHES).where(BATCHES.c.id == batch_id).values(stopped_at=now()))
    left = Counter[UUID](
        connection.execute(
            update(ROWS)
            .where(ROWS.c.batch_id == batch_id, ROWS.c.state == "waiting", ROWS.c.attempts == 0)
            .values(state="stopped", ended_at=now())
            .returning(ROWS.c.merchant_id)
        ).scalars()
    )
    for merchant_id in batch["merchants"]:
        tell_of({**batch}, merchant_id, "batch.stopped", {"left": left[merchant_id]}, actor)
    return left.total()

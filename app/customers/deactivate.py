"""`deactivate()`: an instrument that is not to be charged again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update

from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.customers.models import Instrument

INSTRUMENTS = table_of(Instrument)


def deactivate(connection: Connection, *, instrument_id: UUID, actor: str) -> Mapping[str, Any]:
    """Returns the row; a second time changes nothing. What was charged with it can be refunded. Raises NotFound."""
    changed = connection.execute(
        update(INSTRUMENTS)
        .where(INSTRUMENTS.c.id == instrument_id, INSTRUMENTS.c.active, ~INSTRUMENTS.c.pending)
        .values(active=False)
    ).rowcount
    query = INSTRUMENTS.select().where(INSTRUMENTS.c.id == instrument_id, ~INSTRUMENTS.c.pending)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound()
    if changed:
        tell(
            "instrument.deactivated",
            subject=("instrument", instrument_id),
            merchant_id=row["merchant_id"],
            live=row["live"],
            audience="staff",
            data={"instrument": public_id("ins", instrument_id)},
            actor=actor,
        )
    return dict(row)

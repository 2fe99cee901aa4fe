"""`take()`: the payer has taken a step; what they answered is sealed and kept for the checks."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from app.core import vault
from app.core.clock import now
from app.core.db import table_of
from app.core.events import tell
from app.core.ids import public_id
from app.risk.models import TakenStep

_CONTEXT = "taken_steps.sealed"


def take(
    connection: Connection, *, merchant_id: UUID, live: bool, payment_id: UUID, step: str, answer: Mapping[str, str]
) -> None:
    """Keeps the answer; a later one replaces it. Tells `payment.step_taken` to staff, without what was said."""
    values = {"sealed": vault.seal_json(dict(answer), _CONTEXT), "taken_at": now()}
    row = {"payment_id": payment_id, "step": step, "merchant_id": merchant_id, "live": live, **values}
    connection.execute(
        insert(table_of(TakenStep))
        .values(row)
        .on_conflict_do_update(index_elements=["payment_id", "step"], set_=values)
    )
    tell(
        "payment.step_taken",
        subject=("payment", payment_id),
        merchant_id=merchant_id,
        live=live,
        payment_id=payment_id,
        audience="staff",
        data={"payment": {"id": public_id("pay", payment_id)}, "step": step},
        actor="payer",
    )


def taken(connection: Connection, payment_id: UUID, step: str) -> Mapping[str, str] | None:
    """What the payer answered, in clear; None: the step was not taken."""
    table = table_of(TakenStep)
    sealed = connection.execute(
        table.select().with_only_columns(table.c.sealed).where(table.c.payment_id == payment_id, table.c.step == step)
    ).scalar()
    return vault.unseal_json(sealed, _CONTEXT) if sealed else None

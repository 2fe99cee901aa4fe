"""`enquire_now()`: a person asks the provider about an operation without an answer."""

from uuid import UUID

from sqlalchemy import select

from app.core.db import atomic, of
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.payments.perform import Done
from app.payments.queries import OPERATIONS
from app.payments.resolve import resolve


def enquire_now(operation_id: UUID, *, merchant_id: UUID, live: bool, actor: str) -> Done:
    """Asks at once, whenever the job would ask next. Raises NotFound."""
    with atomic(of(merchant_id, live)) as connection:
        payment_id = connection.execute(select(OPERATIONS.c.payment_id).where(OPERATIONS.c.id == operation_id)).scalar()
        if payment_id is None:
            raise NotFound()
        tell(
            "operation.enquired",
            subject=("operation", operation_id),
            merchant_id=merchant_id,
            live=live,
            payment_id=payment_id,
            audience="staff",
            data={"operation": public_id("op", operation_id)},
            actor=actor,
        )
    return resolve(operation_id, merchant_id=merchant_id, live=live)

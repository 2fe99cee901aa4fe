"""`erase()`: a customer's personal data go (Art. 17 GDPR). What the law wants kept stays where it is.

Payments are vouchers (§ 147 AO, § 257 HGB): the names on them stay until their time is over (jobs/forget.py), but
lead to no customer's data any more. The row itself stays, empty, so that nothing points into the void.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.customers.add import CUSTOMERS
from app.customers.models import Instrument, InstrumentToken

INSTRUMENTS, TOKENS = table_of(Instrument), table_of(InstrumentToken)
_PERSONAL = dict.fromkeys(("number", "name", "email", "phone", "address"))


def erase(
    connection: Connection, *, customer_id: UUID, actor: str, data: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Empties the customer and removes the tokens of its cards. Returns the row; a second time changes nothing.

    What other rooms know of the person goes by app/privacy/erase.py, which calls this; `data` is told with it.
    Raises NotFound.
    """
    row = (
        connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id).with_for_update()).mappings().first()
    )
    if row is None:
        raise NotFound()
    if row["erased_at"] is not None:
        return dict(row)
    theirs = select(INSTRUMENTS.c.id).where(INSTRUMENTS.c.customer_id == customer_id)
    connection.execute(  # first, for it locks them: no token comes after this
        update(INSTRUMENTS)
        .where(INSTRUMENTS.c.customer_id == customer_id)
        .values(active=False, holder=None, fingerprint=None)
    )
    connection.execute(delete(TOKENS).where(TOKENS.c.instrument_id.in_(theirs)))
    erased = connection.execute(
        update(CUSTOMERS)
        .where(CUSTOMERS.c.id == customer_id)
        .values(**_PERSONAL, erased_at=now(), restricted_at=None)
        .returning(CUSTOMERS)
    )
    after = dict(erased.mappings().one())
    tell(
        "customer.erased",
        subject=("customer", customer_id),
        merchant_id=row["merchant_id"],
        live=row["live"],
        audience="staff",
        data={"customer": public_id("cus", customer_id), **(data or {})},
        actor=actor,
    )
    return after

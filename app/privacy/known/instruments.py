"""What they gave to be charged again: kept cards and accounts."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from app.core.ids import public_id
from app.core.texts import N_
from app.customers.erase import INSTRUMENTS
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 20
TITLE = N_("Stored cards and accounts")
STAYS = N_(
    "Brand and last four digits stay on payments, without the name of the holder and without a way to charge them."
)

_COLUMNS = ("method", "brand", "last4", "expiry_month", "expiry_year", "holder", "active", "created_at")


def known(connection: Connection, person: Person) -> Rows:
    query = select(INSTRUMENTS).where(INSTRUMENTS.c.customer_id == person.id).order_by(INSTRUMENTS.c.id)
    rows = connection.execute(query).mappings()
    return [
        {"instrument": public_id("ins", row["id"]), **{name: row[name] for name in _COLUMNS if row[name] is not None}}
        for row in rows
    ]


def erase(connection: Connection, person: Person) -> int:
    """With the customer itself (app/customers/erase.py)."""
    query = select(func.count()).where(INSTRUMENTS.c.customer_id == person.id, INSTRUMENTS.c.active)
    return connection.execute(query).scalar_one()


if TYPE_CHECKING:
    from app.privacy.known import instruments as _me
    from app.privacy.known.kinds import Known

    _: Known = _me

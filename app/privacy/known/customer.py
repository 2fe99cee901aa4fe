"""Who it is: name, addresses, number."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from app.core.ids import public_id
from app.core.texts import N_
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 10
TITLE = N_("Name and addresses")
STAYS = ""

_COLUMNS = ("number", "name", "email", "phone", "address", "language", "created_at", "restricted_at", "erased_at")


def known(connection: Connection, person: Person) -> Rows:
    row = person.customer
    return [
        {"customer": public_id("cus", row["id"]), **{name: row[name] for name in _COLUMNS if row[name] is not None}}
    ]


def erase(connection: Connection, person: Person) -> int:
    return 1  # with the customer itself (app/customers/erase.py)


if TYPE_CHECKING:
    from app.privacy.known import customer as _me
    from app.privacy.known.kinds import Known

    _: Known = _me

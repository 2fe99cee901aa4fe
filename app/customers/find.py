"""`find`: customers by number, e-mail address and name, exact or by how they begin (see app/payments/find.py)."""

from functools import cache

from sqlalchemy import String, bindparam, literal_column, select, union_all

from app.core.fast import Statement
from app.customers.add import CUSTOMERS
from app.customers.models import SEARCHED
from app.merchants.models import Merchant

_NAMES = ("id", "merchant_id", "live", "number", "name", "email", "created_at", "restricted_at")
_COLUMNS = [CUSTOMERS.c[name] for name in _NAMES]


@cache
def known_as(limit: int) -> Statement:
    """Parameters: wanted and end (lower case), live. Rows say `by` and `exact` (yes, no); erased ones have no keys."""
    wanted, end, live = bindparam("wanted", type_=String), bindparam("end", type_=String), bindparam("live")
    most = literal_column(str(int(limit)))
    parts = []
    for name in SEARCHED:
        key = CUSTOMERS.c[name]
        labelled = select(*_COLUMNS, literal_column(f"'{name}'").label("by")).where(CUSTOMERS.c.live == live)
        exact = labelled.add_columns(literal_column("'yes'").label("exact")).where(key == wanted)
        parts.append(exact.order_by(CUSTOMERS.c.id.desc()).limit(most).subquery())
        begins = labelled.add_columns(literal_column("'no'").label("exact")).where(key > wanted, key < end)
        parts.append(begins.order_by(key, CUSTOMERS.c.id).limit(most).subquery())
    found = union_all(*(select(part) for part in parts)).subquery()
    merchant = select(Merchant.name).where(Merchant.id == found.c.merchant_id).scalar_subquery()
    return Statement(select(found, merchant.label("merchant_name")))

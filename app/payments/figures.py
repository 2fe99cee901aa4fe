"""What happened since a moment: payments started then, by status and currency."""

from datetime import datetime

from sqlalchemy import BigInteger, Connection, RowMapping, func, select

from app.payments.queries import PAYMENTS
from app.payments.search import first_id_at


def started_since(connection: Connection, moment: datetime, *, live: bool) -> list[RowMapping]:
    """Rows (currency, status, count, amount, captured, refunded); sums are minor units."""
    sums = [func.sum(PAYMENTS.c[name]).cast(BigInteger).label(name) for name in ("amount", "captured", "refunded")]
    query = (
        select(PAYMENTS.c.currency, PAYMENTS.c.status, func.count().label("count"), *sums)
        .where(PAYMENTS.c.live == live, PAYMENTS.c.id >= first_id_at(moment))
        .group_by(PAYMENTS.c.currency, PAYMENTS.c.status)
    )
    return list(connection.execute(query).mappings().all())

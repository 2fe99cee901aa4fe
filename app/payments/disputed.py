"""What stands in a payment's account `disputed`: only what disputes have put there and not taken out yet.

A chargeback of money that had been refunded already is a loss at once (`over_returned_losses`), not disputed money,
and a refund that arrives while a dispute is open makes less of it disputed. So what a dispute ends with is read from
the books, and not taken from its amount.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from app.core.db import table_of
from app.core.ids import public_id
from app.payments.models import Dispute

DISPUTES = table_of(Dispute)

_BALANCE = text(
    """
    SELECT coalesce(sum(l.amount), 0)::bigint
    FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id JOIN ledger_accounts a ON a.id = l.account_id
    WHERE e.payment_id = :payment AND a.code = :code AND starts_with(e.key, :beginning)
    """
)


def in_dispute(connection: Connection, payment_id: UUID) -> int:
    """The balance of the payment's `disputed`, minor units."""
    given = {"payment": payment_id, "code": "disputed", "beginning": ""}
    return connection.execute(_BALANCE, given).scalar_one()


def of_others(connection: Connection, dispute: Mapping[str, Any]) -> int:
    """The most that the payment's other disputes can have there."""
    query = select(func.coalesce(func.sum(DISPUTES.c.amount), 0)).where(
        DISPUTES.c.payment_id == dispute["payment_id"],
        DISPUTES.c.id != dispute["id"],
        DISPUTES.c.state == "charged_back",
    )
    return int(connection.execute(query).scalar_one())


def left_by(connection: Connection, dispute: Mapping[str, Any]) -> int:
    """What a dispute that has just ended leaves there beyond what others have: nobody will take it out."""
    balance, others = in_dispute(connection, dispute["payment_id"]), of_others(connection, dispute)
    return balance if not others else max(0, balance - others)


def booked_as_lost(connection: Connection, dispute: Mapping[str, Any]) -> int:
    """What this dispute has made a loss of, minor units."""
    given = {"payment": dispute["payment_id"], "code": "dispute_losses"}
    beginning = f"{public_id('dsp', dispute['id'])}/"
    return connection.execute(_BALANCE, {**given, "beginning": beginning}).scalar_one()

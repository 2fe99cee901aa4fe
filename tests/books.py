"""What tests ask of the database: what was told, what was booked, and whether the proofs hold."""

from uuid import UUID

from sqlalchemy import text

from app.core.db import ALL, reading
from app.ledger.proof import prove
from app.payments.proofs import PROOFS


def told(payment_id: UUID) -> list[str]:
    """Names of a payment's events, in order."""
    with reading(ALL) as connection:
        return list(
            connection.execute(
                text("SELECT name FROM events WHERE payment_id = :id ORDER BY id"), {"id": payment_id}
            ).scalars()
        )


def booked(payment_id: UUID) -> dict[str, int]:
    """Balance per account code over all entries of a payment, minor units; accounts at zero are left out."""
    with reading(ALL) as connection:
        rows = connection.execute(
            text(
                "SELECT a.code, sum(l.amount)::bigint FROM ledger_entries e"
                " JOIN ledger_lines l ON l.entry_id = e.id JOIN ledger_accounts a ON a.id = l.account_id"
                " WHERE e.payment_id = :id GROUP BY a.code"
            ),
            {"id": payment_id},
        ).all()
    return {code: amount for code, amount in rows if amount}


def broken_proofs() -> dict[str, object]:
    """The proofs of the books that do not hold; empty when all is right."""
    with reading(ALL) as connection:
        return dict(prove(connection, PROOFS))

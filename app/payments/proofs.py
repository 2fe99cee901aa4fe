"""Proofs that payments, operations and the books say the same. See ledger/proof.py for the shape."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping

from app.ledger.proof import PROOFS as LEDGER_PROOFS
from app.ledger.proof import Proof, rows
from app.payments.states import AMOUNTS, OPEN


def books_equal_payments(connection: Connection) -> Sequence[RowMapping]:
    """What a payment says was captured, refunded and charged back is what was booked for it; and what came in or went
    back too much stands on the accounts for it."""
    return rows(
        connection,
        """
        SELECT p.id, p.captured - p.refunded - p.charged_back AS payment_says, coalesce(b.total, 0) AS books_say,
               p.over_captured, coalesce(b.credit, 0) AS credit, p.over_returned, coalesce(b.losses, 0) AS losses
        FROM payments p
        LEFT JOIN (
            SELECT e.payment_id,
                   sum(l.amount) FILTER (WHERE a.code = 'provider_balance')::bigint AS total,
                   -sum(l.amount) FILTER (WHERE a.code = 'payer_credit')::bigint AS credit,
                   sum(l.amount) FILTER (WHERE a.code = 'over_returned_losses')::bigint AS losses
            FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id JOIN ledger_accounts a ON a.id = l.account_id
            WHERE a.code IN ('provider_balance', 'payer_credit', 'over_returned_losses') AND e.recipe <> 'dispute_fee'
            GROUP BY e.payment_id
        ) b ON b.payment_id = p.id
        WHERE (p.captured - p.refunded - p.charged_back, p.over_captured, p.over_returned)
           IS DISTINCT FROM (coalesce(b.total, 0), coalesce(b.credit, 0), coalesce(b.losses, 0)) LIMIT 20
        """,
    )


def payments_equal_authorisations(connection: Connection) -> Sequence[RowMapping]:
    """A payment's sums are the sums over its authorisations."""
    return rows(
        connection,
        f"""
        SELECT p.id FROM payments p LEFT JOIN (
            SELECT payment_id, {", ".join(f"sum({name}) AS {name}" for name in AMOUNTS)}
            FROM authorisations GROUP BY payment_id
        ) a ON a.payment_id = p.id
        WHERE ({", ".join(f"p.{name}" for name in AMOUNTS)})
           IS DISTINCT FROM ({", ".join(f"coalesce(a.{name}, 0)" for name in AMOUNTS)})
        LIMIT 20
        """,  # noqa: S608 - column names only
    )


def operations_equal_authorisations(connection: Connection) -> Sequence[RowMapping]:
    """An authorisation's sums are those of its succeeded operations, and what is reserved is what is open of them."""
    return rows(
        connection,
        f"""
        SELECT a.id, {", ".join(f"a.{name}, coalesce(o.{name}, 0) AS {name}_by_operations" for name in _BY_OPERATIONS)}
        FROM authorisations a LEFT JOIN (
            SELECT authorisation_id, {", ".join(f"{sql}::bigint AS {name}" for name, sql in _BY_OPERATIONS.items())}
            FROM operations GROUP BY authorisation_id
        ) o ON o.authorisation_id = a.id
        WHERE ({", ".join(f"a.{name}" for name in _BY_OPERATIONS)})
           IS DISTINCT FROM ({", ".join(f"coalesce(o.{name}, 0)" for name in _BY_OPERATIONS)})
        LIMIT 20
        """,  # noqa: S608 - column names only
    )


def _done(kind: str) -> str:
    return f"coalesce(sum(booked_amount) FILTER (WHERE kind = '{kind}' AND state = 'succeeded'), 0)"


def _open(kind: str) -> str:
    states = ", ".join(f"'{state}'" for state in sorted(OPEN))
    return f"coalesce(sum(amount) FILTER (WHERE kind = '{kind}' AND state IN ({states})), 0)"


_BY_OPERATIONS = {
    "authorised": _done("authorise"),
    "captured": _done("capture"),
    "capture_pending": _open("capture"),
    "cancelled": "sum(released_amount)",
    "cancel_pending": _open("cancel"),
    "refunded": _done("refund"),
    "refund_pending": _open("refund"),
    "charged_back": f"{_done('chargeback')} - {_done('reversal')}",
}


def over_is_what_is_over(connection: Connection) -> Sequence[RowMapping]:
    """What was taken beyond the authorisation, and what went back beyond the captures, is exactly what is named so."""
    return rows(
        connection,
        """
        SELECT id, over_captured, over_returned FROM authorisations
        WHERE over_captured <> greatest(0, captured + capture_pending + cancelled + cancel_pending - authorised)
           OR over_returned <> greatest(0, refunded + refund_pending + charged_back - captured) LIMIT 20
        """,
    )


def closed_hold_nothing(connection: Connection) -> Sequence[RowMapping]:
    """Of an attempt that is over nothing is reserved any more that is not being given back, unless its provider
    refused to."""
    return rows(
        connection,
        """
        SELECT a.id FROM authorisations a
        WHERE NOT a.is_open AND a.authorised + a.over_captured > a.captured + a.capture_pending + a.cancelled
                                                                + a.cancel_pending
          AND NOT EXISTS (SELECT 1 FROM operations o
                          WHERE o.authorisation_id = a.id AND o.kind = 'cancel' AND o.state = 'declined')
        LIMIT 20
        """,
    )


def authorised_once(connection: Connection) -> Sequence[RowMapping]:
    """What is open of a payment's authorisations is no more than was asked for. (For the others: closed_hold_nothing.)

    No CHECK: that a second one has succeeded, or that its cancellation was refused, are facts.
    """
    return rows(
        connection,
        """
        SELECT p.id FROM payments p JOIN authorisations a ON a.payment_id = p.id AND a.is_open
        GROUP BY p.id HAVING sum(a.authorised - a.cancelled - a.cancel_pending - a.over_captured) > p.amount LIMIT 20
        """,
    )


def disputes_end_in_nothing(connection: Connection) -> Sequence[RowMapping]:
    """What is in dispute is zero once all of a payment's disputes are over."""
    return rows(
        connection,
        """
        SELECT e.payment_id AS id, sum(l.amount)::bigint AS disputed
        FROM ledger_accounts a JOIN ledger_lines l ON l.account_id = a.id JOIN ledger_entries e ON e.id = l.entry_id
        WHERE a.code = 'disputed' AND NOT EXISTS (
            SELECT 1 FROM disputes d WHERE d.payment_id = e.payment_id AND d.state = 'charged_back'
        )
        GROUP BY e.payment_id HAVING sum(l.amount) <> 0 LIMIT 20
        """,
    )


PROOFS: tuple[Proof, ...] = (
    *LEDGER_PROOFS,
    books_equal_payments,
    payments_equal_authorisations,
    operations_equal_authorisations,
    over_is_what_is_over,
    authorised_once,
    closed_hold_nothing,
    disputes_end_in_nothing,
)

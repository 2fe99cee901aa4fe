"""Proofs that payments, operations and the books say the same. See ledger/proof.py for the shape."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping

from app.ledger.proof import PROOFS as LEDGER_PROOFS
from app.ledger.proof import Proof, rows


def books_equal_payments(connection: Connection) -> Sequence[RowMapping]:
    """What a payment says was captured, refunded and charged back is what was booked for it."""
    return rows(
        connection,
        """
        SELECT p.id, p.captured - p.refunded - p.charged_back AS payment_says, coalesce(b.total, 0) AS books_say
        FROM payments p
        LEFT JOIN (
            SELECT e.payment_id, sum(l.amount)::bigint AS total
            FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id JOIN ledger_accounts a ON a.id = l.account_id
            WHERE a.code = 'provider_balance' AND e.recipe <> 'dispute_fee' GROUP BY e.payment_id
        ) b ON b.payment_id = p.id
        WHERE p.captured - p.refunded - p.charged_back <> coalesce(b.total, 0) LIMIT 20
        """,
    )


def payments_equal_authorisations(connection: Connection) -> Sequence[RowMapping]:
    """A payment's sums are the sums over its authorisations."""
    return rows(
        connection,
        """
        SELECT p.id FROM payments p JOIN (
            SELECT payment_id, sum(authorised) authorised, sum(captured) captured, sum(capture_pending) capture_pending,
                   sum(cancelled) cancelled, sum(refunded) refunded, sum(refund_pending) refund_pending,
                   sum(charged_back) charged_back
            FROM authorisations GROUP BY payment_id
        ) a ON a.payment_id = p.id
        WHERE (p.authorised, p.captured, p.capture_pending, p.cancelled, p.refunded, p.refund_pending, p.charged_back)
           IS DISTINCT FROM
              (a.authorised, a.captured, a.capture_pending, a.cancelled, a.refunded, a.refund_pending, a.charged_back)
        LIMIT 20
        """,
    )


def operations_equal_authorisations(connection: Connection) -> Sequence[RowMapping]:
    """An authorisation's captured and refunded sums are those of its succeeded operations."""
    return rows(
        connection,
        """
        SELECT a.id FROM authorisations a JOIN (
            SELECT authorisation_id,
                   coalesce(sum(booked_amount) FILTER (WHERE kind = 'capture' AND state = 'succeeded'), 0) AS captured,
                   coalesce(sum(booked_amount) FILTER (WHERE kind = 'refund' AND state = 'succeeded'), 0) AS refunded
            FROM operations GROUP BY authorisation_id
        ) o ON o.authorisation_id = a.id
        WHERE a.captured <> o.captured OR a.refunded <> o.refunded LIMIT 20
        """,
    )


def authorised_once(connection: Connection) -> Sequence[RowMapping]:
    """What is open of a payment's authorisations is no more than was asked for.

    No CHECK: that a second one has succeeded, or that its cancellation was refused, are facts.
    """
    return rows(
        connection,
        """
        SELECT p.id FROM payments p JOIN authorisations a ON a.payment_id = p.id AND a.is_open
        GROUP BY p.id HAVING sum(a.authorised - a.cancelled - a.cancel_pending - a.over_captured) > p.amount LIMIT 20
        """,
    )


PROOFS: tuple[Proof, ...] = (
    *LEDGER_PROOFS,
    books_equal_payments,
    payments_equal_authorisations,
    operations_equal_authorisations,
    authorised_once,
)

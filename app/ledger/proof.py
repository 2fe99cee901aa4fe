"""Proofs of the books: one function per proof, each returns the rows that break it (none: proved)."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, text

Proof = Callable[[Connection], Sequence[RowMapping]]


def entries_balance(connection: Connection) -> Sequence[RowMapping]:
    """Every entry has at least two lines and sums to zero per currency."""
    return rows(
        connection,
        """
        SELECT e.id, l.currency, count(l.id) AS lines, sum(l.amount) AS total
        FROM ledger_entries e LEFT JOIN ledger_lines l ON l.entry_id = e.id
        GROUP BY e.id, l.currency HAVING count(l.id) < 2 OR sum(l.amount) <> 0 LIMIT 20
        """,
    )


def snapshots_hold(connection: Connection) -> Sequence[RowMapping]:
    """A snapshot equals the one before it and the lines in between; so each equals the sum of all lines up to it."""
    return rows(
        connection,
        """
        SELECT s.account_id, s.line_id, s.balance, s.before + m.moved AS books_say
        FROM (
            SELECT account_id, line_id, balance, lag(balance, 1, 0::bigint) OVER account AS before,
                   lag(line_id, 1, 0::bigint) OVER account AS after
            FROM ledger_snapshots WINDOW account AS (PARTITION BY account_id ORDER BY line_id)
        ) s
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(l.amount), 0) AS moved FROM ledger_lines l
            WHERE l.account_id = s.account_id AND l.id > s.after AND l.id <= s.line_id
        ) m
        WHERE s.balance <> s.before + m.moved LIMIT 20
        """,
    )


PROOFS: tuple[Proof, ...] = (
    entries_balance,
    snapshots_hold,
)


def prove(connection: Connection, proofs: Sequence[Proof] = PROOFS) -> dict[str, Sequence[RowMapping]]:
    """Runs proofs. Returns the broken ones with up to 20 rows each; empty when the books are right."""
    results: dict[str, Any] = {proof.__name__: proof(connection) for proof in proofs}
    return {name: rows for name, rows in results.items() if rows}


def rows(connection: Connection, sql: str) -> Sequence[RowMapping]:
    return connection.execute(text(sql)).mappings().all()

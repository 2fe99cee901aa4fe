"""Balances: the last snapshot plus the lines since. No running balance is kept while posting."""

from uuid import UUID

from sqlalchemy import Connection, text

_BALANCE = text(
    """
    WITH last AS (
        SELECT line_id, balance FROM ledger_snapshots WHERE account_id = :account ORDER BY line_id DESC LIMIT 1
    )
    SELECT coalesce((SELECT balance FROM last), 0) + coalesce(sum(amount), 0)::bigint
    FROM ledger_lines WHERE account_id = :account AND id > coalesce((SELECT line_id FROM last), 0)
    """
)

# Only lines older than any open transaction's are summed up: ids are not commit order.
_SNAPSHOT = text(
    """
    INSERT INTO ledger_snapshots (account_id, line_id, merchant_id, live, balance, created_at)
    SELECT l.account_id, max(l.id), l.merchant_id, l.live,
           coalesce((SELECT s.balance FROM ledger_snapshots s WHERE s.account_id = l.account_id
                     ORDER BY s.line_id DESC LIMIT 1), 0) + sum(l.amount)::bigint, now()
    FROM ledger_lines l JOIN ledger_entries e ON e.id = l.entry_id
    WHERE l.id > coalesce((SELECT max(s.line_id) FROM ledger_snapshots s WHERE s.account_id = l.account_id), 0)
      AND l.id <= :up_to
    GROUP BY l.account_id, l.merchant_id, l.live
    ON CONFLICT DO NOTHING RETURNING account_id
    """
)


def balance(connection: Connection, account: UUID) -> int:
    """Minor units; debit positive."""
    return connection.execute(_BALANCE, {"account": account}).scalar_one()


def snapshot(connection: Connection, older_than_minutes: int = 10) -> int:
    """Adds snapshots for all accounts that moved. Returns how many.

    Lines younger than `older_than_minutes` are left for next time: a transaction lives at most 45 s
    (statement and idle time-outs), so no line with a smaller id can still become visible.
    """
    up_to = connection.execute(
        text(
            "SELECT max(l.id) FROM ledger_lines l JOIN ledger_entries e ON e.id = l.entry_id"
            " WHERE e.created_at < now() - make_interval(mins => :minutes)"
        ),
        {"minutes": older_than_minutes},
    ).scalar()
    if up_to is None:
        return 0
    return len(connection.execute(_SNAPSHOT, {"up_to": up_to}).all())

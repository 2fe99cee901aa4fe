"""Balances: the last snapshot plus the lines since. No running balance is kept while posting."""

from uuid import UUID

from sqlalchemy import Connection, text

# Zeros where there is no snapshot, and no coalesce(): beside row-level security the planner uses an index only for
# conditions that surely leak nothing, and it does not count those with a coalesce() among them.
_BALANCE = text(
    """
    WITH last AS (
        (SELECT line_id, balance FROM ledger_snapshots WHERE account_id = :account ORDER BY line_id DESC LIMIT 1)
        UNION ALL SELECT 0, 0 ORDER BY line_id DESC LIMIT 1
    )
    SELECT (SELECT balance FROM last) + coalesce(sum(amount), 0)::bigint
    FROM ledger_lines WHERE account_id = :account AND id > (SELECT line_id FROM last)
    """
)

# Only lines older than any open transaction's are summed up: ids are not commit order.
_UP_TO = text(
    """
    SELECT l.id FROM ledger_lines l JOIN ledger_entries e ON e.id = l.entry_id
    WHERE e.created_at < now() - make_interval(mins => :minutes) ORDER BY l.id DESC LIMIT 1
    """
)
_SNAPSHOT = text(
    """
    INSERT INTO ledger_snapshots (account_id, line_id, merchant_id, live, balance, created_at)
    SELECT a.id, moved.line_id, a.merchant_id, a.live, last.balance + moved.amount, now()
    FROM ledger_accounts a
    CROSS JOIN LATERAL (
        (SELECT line_id, balance FROM ledger_snapshots WHERE account_id = a.id ORDER BY line_id DESC LIMIT 1)
        UNION ALL SELECT 0, 0 ORDER BY line_id DESC LIMIT 1
    ) last
    CROSS JOIN LATERAL (
        SELECT max(id) AS line_id, sum(amount)::bigint AS amount FROM ledger_lines
        WHERE account_id = a.id AND id > last.line_id AND id <= :up_to
    ) moved
    WHERE moved.line_id IS NOT NULL
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
    up_to = connection.execute(_UP_TO, {"minutes": older_than_minutes}).scalar()
    if up_to is None:
        return 0
    return len(connection.execute(_SNAPSHOT, {"up_to": up_to}).all())

"""Proofs find what does not hold."""

from sqlalchemy import text

from app.core.db import ALL, atomic
from app.ledger.accounts import account_id
from app.ledger.balance import snapshot
from tests import factories
from tests.books import broken_proofs


def test_a_wrong_snapshot_is_found(context, acquirers):
    tenant = factories.tenant(acquirers["A"])
    for _ in range(2):
        factories.captured(tenant, 10_000)
        with atomic(ALL) as connection:
            snapshot(connection, older_than_minutes=0)
    assert broken_proofs() == {}
    account = account_id(tenant.merchant_id, False, "provider_balance", "EUR", tenant.contract_id)
    with atomic(ALL) as connection:
        connection.execute(
            text(
                "INSERT INTO ledger_snapshots (account_id, line_id, merchant_id, live, balance, created_at)"
                " SELECT account_id, line_id + 1000, merchant_id, live, balance - 1, now() FROM ledger_snapshots"
                " WHERE account_id = :account ORDER BY line_id DESC LIMIT 1"
            ),
            {"account": account},
        )
    found = broken_proofs()
    assert [(row["account_id"], row["balance"], row["books_say"]) for row in found["snapshots_hold"]] == [
        (account, 19_999, 20_000)
    ]
    assert list(found) == ["snapshots_hold"]

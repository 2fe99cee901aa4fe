"""Balances: the same with and without snapshots."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, reading
from app.ledger.accounts import account_id
from app.ledger.balance import balance, snapshot
from app.payments.refund import refund
from tests import factories
from tests.books import broken_proofs


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def owed(tenant):
    """The account of what the provider owes the merchant."""
    return account_id(tenant.merchant_id, False, "provider_balance", "EUR", tenant.contract_id)


def snapshots(account):
    with reading(ALL) as connection:
        query = text("SELECT balance FROM ledger_snapshots WHERE account_id = :account ORDER BY line_id")
        return list(connection.execute(query, {"account": account}).scalars())


def read(account):
    with reading(ALL) as connection:
        return balance(connection, account)


def take(older_than_minutes=0):
    with atomic(ALL) as connection:
        return snapshot(connection, older_than_minutes)


def test_a_balance_is_the_last_snapshot_and_what_came_after(tenant, owed):
    assert read(owed) == 0
    payment_id = factories.captured(tenant, 10_000).payment["id"]
    assert read(owed) == 10_000
    take()
    assert snapshots(owed) == [10_000]
    refund(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, actor="test", amount=2_500)
    assert read(owed) == 7_500
    take()
    assert snapshots(owed) == [10_000, 7_500]
    assert read(owed) == 7_500
    assert broken_proofs() == {}


def test_accounts_that_did_not_move_get_no_snapshot(tenant, owed):
    factories.captured(tenant)
    take()
    assert take() == 0
    assert len(snapshots(owed)) == 1


def test_what_may_still_be_overtaken_waits_for_the_next_time(tenant, owed):
    factories.captured(tenant)
    take(older_than_minutes=10)
    assert snapshots(owed) == []

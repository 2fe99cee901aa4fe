"""One writer of the books, and a database that refuses what does not balance."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.ledger import recipes
from app.ledger.accounts import ACCOUNTS, account_id
from app.ledger.balance import balance, snapshot
from app.ledger.models import ClosedPeriod, Entry, Line
from app.ledger.post import PeriodClosed, Reason, post
from app.ledger.proof import prove

pytestmark = pytest.mark.usefixtures("context")
TODAY = date(2026, 11, 21)


def _reason(merchant=None, **more) -> Reason:
    defaults = {
        "key": str(uuid7()),
        "merchant_id": merchant or uuid7(),
        "live": False,
        "currency": "EUR",
        "contract_id": uuid7(),
        "payment_id": None,
        "operation_id": None,
        "merchant_reference": "r",
        "booking_date": TODAY,
    }
    return Reason(**{**defaults, **more})  # pyright: ignore


def test_an_entry_moves_balances():
    reason = _reason()
    with atomic(ALL) as connection:
        post(connection, recipes.captured(1_000), reason)
    again = _reason(reason.merchant_id, contract_id=reason.contract_id)
    with atomic(ALL) as connection:
        post(connection, recipes.refunded(300), again)
    account = account_id(reason.merchant_id, False, "provider_balance", "EUR", reason.contract_id)
    with reading(ALL) as connection:
        assert balance(connection, account) == 700
        assert prove(connection) == {}


def test_many_first_bookings_of_a_merchant_at_once_open_its_accounts_once(app):
    """Opening an account is a race that nobody may lose: the booking is of money that has moved."""
    threads = 8

    def book(merchant, contract, together, take_back):
        recipe = recipes.refunded if take_back else recipes.captured
        with app.app_context():
            together.wait()
            with atomic(ALL) as connection:
                post(connection, recipe(100), _reason(merchant, contract_id=contract))

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(60):
            merchant, contract, together = uuid7(), uuid7(), threading.Barrier(threads)
            for done in [pool.submit(book, merchant, contract, together, n % 2) for n in range(threads)]:
                done.result()
            account = account_id(merchant, False, "provider_balance", "EUR", contract)
            with reading(ALL) as connection:
                assert balance(connection, account) == 0


def test_the_same_key_is_booked_once():
    reason = _reason()
    with atomic(ALL) as connection:
        post(connection, recipes.captured(5), reason)
    with pytest.raises(IntegrityError), atomic(ALL) as connection:
        post(connection, recipes.captured(5), reason)


def _entry(connection, merchant, **columns):
    row = {
        "id": uuid7(),
        "merchant_id": merchant,
        "live": False,
        "key": str(uuid7()),
        "recipe": "captured",
        "merchant_reference": "",
        "booking_date": TODAY,
        "value_date": TODAY,
        "created_at": now(),
    }
    connection.execute(insert(Entry).values({**row, **columns}))
    return row["id"]


def _accounts(reason: Reason) -> list:
    with atomic(ALL) as connection:
        post(connection, recipes.captured(1), reason)
        return list(connection.execute(select(Line.account_id).where(Line.merchant_id == reason.merchant_id)).scalars())


@pytest.mark.parametrize("amounts", [[], [5], [5, -4]])
def test_an_entry_that_does_not_balance_is_refused_by_the_database(amounts):
    reason = _reason()
    accounts = _accounts(reason)
    with pytest.raises(DBAPIError, match=r"lines|balance"), atomic(ALL) as connection:
        entry = _entry(connection, reason.merchant_id)
        for account, amount in zip(accounts, amounts, strict=False):
            connection.execute(
                insert(Line).values(
                    entry_id=entry,
                    account_id=account,
                    merchant_id=reason.merchant_id,
                    live=False,
                    amount=amount,
                    currency="EUR",
                )
            )


def test_a_line_cannot_be_added_to_a_balanced_entry_later():
    reason = _reason()
    account = _accounts(reason)[0]
    with reading(ALL) as connection:
        entry = connection.execute(select(Entry.id).where(Entry.key == reason.key)).scalar_one()
    with pytest.raises(DBAPIError, match="balance"), atomic(ALL) as connection:
        connection.execute(
            insert(Line).values(
                entry_id=entry, account_id=account, merchant_id=reason.merchant_id, live=False, amount=1, currency="EUR"
            )
        )


def test_a_line_cannot_name_another_merchants_account():
    reason = _reason()
    account = _accounts(reason)[0]
    with pytest.raises(IntegrityError), atomic(ALL) as connection:
        other = uuid7()
        entry = _entry(connection, other)
        connection.execute(
            insert(Line).values(
                entry_id=entry, account_id=account, merchant_id=other, live=False, amount=1, currency="EUR"
            )
        )


def test_a_closed_period_takes_no_entries():
    reason = _reason()
    with atomic(ALL) as connection:
        connection.execute(
            insert(ClosedPeriod).values(
                id=uuid7(), merchant_id=reason.merchant_id, live=False, last_day=TODAY, closed_at=now()
            )
        )
    with pytest.raises(PeriodClosed), atomic(ALL) as connection:
        post(connection, recipes.captured(5), reason)
    with atomic(ALL) as connection:
        post(connection, recipes.captured(5), _reason(reason.merchant_id, booking_date=date(2026, 11, 22)))


def test_a_snapshot_changes_no_balance():
    reason = _reason()
    accounts = _accounts(reason)
    with atomic(ALL) as connection:
        assert snapshot(connection, older_than_minutes=-1) >= 2
    with atomic(ALL) as connection:
        post(connection, recipes.captured(9), _reason(reason.merchant_id, contract_id=reason.contract_id))
    with atomic(ALL) as connection:
        snapshot(connection, older_than_minutes=-1)
    with reading(ALL) as connection:
        assert sorted(balance(connection, account) for account in accounts) == [-10, 10]
        assert connection.execute(text("SELECT count(*) FROM ledger_snapshots")).scalar_one() >= 4
        assert prove(connection) == {}


@pytest.mark.parametrize(
    "posting",
    [
        recipes.captured(100),
        recipes.captured(100, over=30),
        recipes.refunded(100, over=100),
        recipes.charged_back(100, over=20),
        recipes.dispute_fee(15),
        recipes.reversed_(100),
        recipes.lost(100),
        recipes.undisputed(100),
    ],
    ids=lambda posting: posting.recipe,
)
def test_every_recipe_balances_and_uses_known_accounts(posting):
    assert sum(amount for _, amount in posting.lines) == 0
    assert {code for code, _ in posting.lines} <= set(ACCOUNTS)
    assert all(amount for _, amount in posting.lines)

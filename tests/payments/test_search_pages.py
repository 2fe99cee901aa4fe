"""Pages of the list follow each other without gaps, and every search can read an index in order."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.payments.search import Filters, first_id_at, listed
from app.payments.start import start
from tests import factories

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module")
def shops(app, acquirers):
    """Two merchants with forty payments each, of which every fifth has failed."""
    with app.app_context():
        tenants = [factories.tenant(acquirers["A"]) for _ in range(2)]
        with atomic(ALL) as connection:
            for number, tenant in itertools.product(range(40), tenants):
                order = factories.an_order(100 + number, merchant_reference=f"Find-{number:02}")
                row = start(connection, order, merchant_id=tenant.merchant_id, live=False, actor="test")
                if number % 5 == 0:
                    connection.execute(text("UPDATE payments SET stage = 'failed' WHERE id = :id"), {"id": row["id"]})
    return tenants


def walk(filters, *, oldest_first=False):
    """Every page from the first to the last, and back again; they must be the same rows."""
    with reading(ALL) as connection:
        pages, after = [], None
        while True:
            page = listed(connection, filters, limit=7, after=after, oldest_first=oldest_first)
            pages.append([row["id"] for row in page.rows])
            if not page.has_next:
                break
            after = page.rows[-1]["id"]
        back, before = [pages[-1]], pages[-1][0]
        while before is not None and len(back) < len(pages):
            page = listed(connection, filters, limit=7, before=before, oldest_first=oldest_first)
            back.insert(0, [row["id"] for row in page.rows])
            before = page.rows[0]["id"] if page.has_previous else None
    assert back == pages
    return list(itertools.chain(*pages))


@pytest.mark.parametrize("oldest_first", [False, True])
def test_walking_the_pages_shows_each_payment_once_in_order(shops, oldest_first):
    ids = walk(Filters(live=False, merchants=[one.merchant_id for one in shops]), oldest_first=oldest_first)
    assert len(ids) == len(set(ids)) == 80
    assert ids == sorted(ids, reverse=not oldest_first)


def test_branches_per_status_and_merchant_are_one_list(shops):
    merchants = [one.merchant_id for one in shops]
    assert len(walk(Filters(live=False, merchants=merchants, statuses=["created", "failed", "captured"]))) == 80
    assert len(walk(Filters(live=False, merchants=merchants, statuses=["failed"]))) == 16


def test_more_choices_than_branches_are_the_same_list(shops):
    many = [*(one.merchant_id for one in shops), *(uuid7() for _ in range(50))]
    assert len(walk(Filters(live=False, merchants=many))) == 80


def test_a_moment_becomes_the_first_id_of_its_time():
    moment = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert first_id_at(moment) < first_id_at(moment + timedelta(milliseconds=1))
    now = datetime.now(UTC)
    assert first_id_at(now - timedelta(seconds=1)) < uuid7() < first_id_at(now + timedelta(seconds=5))
    assert first_id_at(datetime(1969, 1, 1, tzinfo=UTC)).int == 0


@pytest.mark.parametrize(
    ("condition", "order", "index"),
    [
        ("email_key > 'mail1' AND email_key < 'mail1\U0010ffff'", "email_key, id", "ix_payments_email_key"),
        ("name_key = 'x'", "id DESC", "ix_payments_name_key"),
        ("surname_key > 'na' AND surname_key < 'na\U0010ffff'", "surname_key, id", "ix_payments_surname_key"),
        ("reference_key > 'fi' AND reference_key < 'fi\U0010ffff'", "reference_key, id", "ix_payments_reference_key"),
        ("order_key > '77' AND order_key < '77\U0010ffff'", "order_key, id", "ix_payments_order_key"),
        ("customer_key = 'k-1'", "id DESC", "ix_payments_customer_key"),
        ("customer_id = '01890000-0000-7000-8000-000000000000'", "id DESC", "ix_payments_customer"),
        ("id >= '01890000-0000-7000-8000-000000000000'", "id DESC", "ix_payments_mode"),
        ("status = 'failed'", "id DESC", "ix_payments_status"),
        ("last4 = '4242'", "id DESC", "ix_payments_last4"),
    ],
)
def test_each_search_can_read_its_index_in_order_behind_row_security(shops, condition, order, index):
    """Row security must not keep the conditions from the index, nor make a sort of everything necessary."""
    query = f"SELECT id FROM payments WHERE live = false AND {condition} ORDER BY {order} LIMIT 20"
    with reading(ALL) as connection:
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            connection.execute(text(f"SET LOCAL {setting} = off"))
        plan = "\n".join(connection.execute(text(f"EXPLAIN {query}")).scalars())
    assert index in plan and "Index Cond" in plan and "Sort" not in plan, plan

"""The clock of a sandbox merchant goes forward, its acquirers' with it; never back, and not where money is real."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.merchants.add import MERCHANTS, ClockMoved, change
from app.merchants.move_clock import FURTHEST, MOST_DAYS, NoSandbox, OutOfReach, move_clock
from app.payments import expire
from tests import factories
from tests.acquirers import running_acquirer

DAY = 86_400


@pytest.fixture(scope="module")
def acquirer(tmp_path_factory):
    """One of our own: other tests shall not find its clock moved."""
    with running_acquirer("A", tmp_path_factory.mktemp("journal")) as running:
        yield running


@pytest.fixture
def tenant(context, acquirer):
    return factories.tenant(acquirer)


def test_authorisations_lapse_here_and_at_the_acquirer(tenant, acquirer):
    done = factories.authorised(tenant)
    moved = move_clock(tenant.merchant_id, days=8, actor="staff:ada")
    assert moved.left_behind == []
    assert acquirer.control()["clock_offset"] == moved.offset_seconds == 8 * DAY
    expire.expire_authorisations(100)
    assert factories.fresh(done)["status"] == "expired"
    assert _told(tenant) == [
        {"actor": "staff:ada", "data": {"days": 8, "before_seconds": 0, "after_seconds": 8 * DAY}},
    ]
    assert move_clock(tenant.merchant_id, days=1, actor="test").offset_seconds == 9 * DAY


def test_who_asks_for_less_than_the_acquirer_has_already_is_content(tenant, acquirer):
    acquirer.control(clock_offset=20 * DAY)
    assert move_clock(tenant.merchant_id, days=1, actor="test").left_behind == []


def test_an_acquirer_that_cannot_be_reached_is_named_and_the_merchants_clock_goes_on(tenant):
    away = factories.add_contract_to(tenant, "http://127.0.0.1:9")
    assert move_clock(tenant.merchant_id, days=1, actor="test").left_behind == [public_id("ctr", away)]
    assert _offset(tenant) == DAY


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_it_goes_forward_by_days_and_not_for_ever(tenant, days):
    with pytest.raises(OutOfReach):
        move_clock(tenant.merchant_id, days=days, actor="test")
    _set(tenant, clock_offset_seconds=int(FURTHEST / timedelta(seconds=1)))
    with pytest.raises(OutOfReach):
        move_clock(tenant.merchant_id, days=1, actor="test")
    assert _told(tenant) == []


def test_where_money_is_real_it_stands_still(tenant):
    _set(tenant, sandbox=False)
    with pytest.raises(NoSandbox):
        move_clock(tenant.merchant_id, days=1, actor="test")
    with pytest.raises(DBAPIError, match="clock_of_sandbox_only"):
        _set(tenant, clock_offset_seconds=1)
    assert _offset(tenant) == 0


def test_a_merchant_whose_clock_was_moved_never_becomes_one_for_real_money(tenant):
    move_clock(tenant.merchant_id, days=1, actor="test")
    with pytest.raises(ClockMoved), atomic(ALL) as connection:
        change(connection, MERCHANTS, tenant.merchant_id, {"sandbox": False}, noun="merchant", actor="test")
    with pytest.raises(DBAPIError, match="clock_of_sandbox_only"):
        _set(tenant, sandbox=False)


def test_the_database_lets_no_clock_go_back(tenant):
    move_clock(tenant.merchant_id, days=2, actor="test")
    with pytest.raises(DBAPIError, match="would go back"):
        _set(tenant, clock_offset_seconds=DAY)


def _set(tenant, **values) -> None:
    with atomic(ALL) as connection:
        connection.execute(update(MERCHANTS).where(MERCHANTS.c.id == tenant.merchant_id).values(values))


def _offset(tenant) -> int:
    with reading(ALL) as connection:
        query = select(MERCHANTS.c.clock_offset_seconds).where(MERCHANTS.c.id == tenant.merchant_id)
        return connection.execute(query).scalar_one()


def _told(tenant) -> list[dict[str, object]]:
    with reading(ALL) as connection:
        query = text(
            "SELECT actor, data FROM events WHERE merchant_id = :id AND name = 'merchant.clock_moved' ORDER BY id"
        )
        return [dict(row) for row in connection.execute(query, {"id": tenant.merchant_id}).mappings()]

"""Closed days take no entries; a fact that comes later is booked on the first open day all the same."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, text

from app.core.clock import business_today, now
from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.ledger.close_period import PERIODS, ClosedAlready, DayNotOver, close_period, latest_closable
from tests import factories
from tests.books import booked, broken_proofs

BERLIN = {"clock_offset_seconds": 0, "timezone": "Europe/Berlin"}


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


def test_days_that_are_over_are_closed_and_it_is_told(tenant):
    latest = latest_closable(**BERLIN)
    period = _close(tenant, latest - timedelta(days=2))
    assert _told(tenant) == [(period, "staff:ada", {"last_day": str(latest - timedelta(days=2)), "before": None})]
    with pytest.raises(ClosedAlready):
        _close(tenant, latest - timedelta(days=2))
    _close(tenant, latest)
    with pytest.raises(DayNotOver):
        _close(tenant, latest + timedelta(days=1))
    assert len(_told(tenant)) == 2


def test_a_day_is_that_of_the_merchant(tenant):
    assert latest_closable(0, "Pacific/Kiritimati") > latest_closable(0, "Pacific/Pago_Pago")
    assert latest_closable(86_400, "Europe/Berlin") == latest_closable(**BERLIN) + timedelta(days=1)


def test_a_fact_of_a_closed_day_stands_on_the_first_open_one_and_keeps_its_value_date(tenant):
    today = business_today(**BERLIN)
    with atomic(ALL) as connection:  # a clock that went wrong: the books are closed for days to come
        row = {"id": uuid7(), "merchant_id": tenant.merchant_id, "live": False, "closed_at": now()}
        connection.execute(insert(PERIODS).values(**row, last_day=today + timedelta(days=3)))
    done = factories.captured(tenant, 10_000)
    assert booked(done.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert _days(done) == [(today + timedelta(days=4), today)]
    assert broken_proofs() == {}


def test_an_open_day_is_booked_as_it_is(tenant):
    _close(tenant, latest_closable(**BERLIN))
    done = factories.captured(tenant, 10_000)
    today = business_today(**BERLIN)
    assert _days(done) == [(today, today)]


def _close(tenant, last_day: date):
    return close_period(merchant_id=tenant.merchant_id, live=False, last_day=last_day, actor="staff:ada", **BERLIN)


def _told(tenant):
    with reading(ALL) as connection:
        query = (
            "SELECT subject_id, actor, data FROM events WHERE merchant_id = :id AND name = 'books.closed' ORDER BY id"
        )
        return [tuple(row) for row in connection.execute(text(query), {"id": tenant.merchant_id})]


def _days(done):
    with reading(ALL) as connection:
        query = "SELECT booking_date, value_date FROM ledger_entries WHERE payment_id = :id"
        return [tuple(row) for row in connection.execute(text(query), {"id": done.payment["id"]})]

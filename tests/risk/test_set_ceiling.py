"""Amount ceilings: what they do to the next payment, and what is told of a change."""

import pytest
from sqlalchemy import select, text

from app.core.db import ALL, atomic, of, reading
from app.core.money import UnknownCurrency
from app.payments.authorise import StepNeeded
from app.risk.set_ceiling import CEILINGS, BadCeiling, NeverReached, set_ceiling
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def put(tenant):
    def change(currency="EUR", **levels):
        with atomic(of(tenant.merchant_id, False)) as connection:
            who = {"merchant_id": tenant.merchant_id, "live": False, "actor": "staff:ada"}
            set_ceiling(connection, **who, currency=currency, **levels)

    return change


@pytest.fixture
def told(tenant):
    def read():
        with reading(ALL) as connection:
            query = text(
                "SELECT data FROM events WHERE merchant_id = :id AND name = 'amount_ceiling.changed' ORDER BY id"
            )
            return list(connection.execute(query, {"id": tenant.merchant_id}).scalars())

    return read


def test_above_the_ceilings_it_is_asked_held_and_refused(tenant, put):
    put(details_above=50_000, review_above=10_000, deny_above=90_000)
    assert factories.authorised(tenant, 10_000).operation["state"] == "succeeded"
    held = factories.authorised(tenant, 10_001)
    assert factories.authorisation_of(held)["held_for_review"]
    with pytest.raises(StepNeeded):
        factories.authorised(tenant, 50_001)
    assert factories.authorised(tenant, 90_001).operation["code"] == "refused_by_risk_check"


def test_each_currency_has_its_own_and_none_is_none(tenant, put):
    put(deny_above=1)
    assert factories.authorised(tenant, 500, currency="JPY").operation["state"] == "succeeded"
    put()
    assert factories.authorised(tenant, 500).operation["state"] == "succeeded"
    with reading(ALL) as connection:
        query = select(CEILINGS).where(CEILINGS.c.merchant_id == tenant.merchant_id)
        assert connection.execute(query).all() == []


def test_before_and_after_are_told_and_no_change_is_not(put, told):
    none = {"details_above": None, "review_above": None, "deny_above": None}
    put(deny_above=90_000)
    put(deny_above=90_000)
    put(deny_above=80_000, review_above=0)
    put()
    first, second = {**none, "deny_above": 90_000}, {**none, "deny_above": 80_000, "review_above": 0}
    assert told() == [
        {"currency": "EUR", "before": none, "after": first},
        {"currency": "EUR", "before": first, "after": second},
        {"currency": "EUR", "before": second, "after": none},
    ]


@pytest.mark.parametrize("level", ["details_above", "review_above"])
def test_a_ceiling_that_is_never_reached_is_refused(put, told, level):
    with pytest.raises(NeverReached):
        put(deny_above=100, **{level: 100})
    assert told() == []


def test_nonsense_is_refused(put):
    with pytest.raises(BadCeiling):
        put(deny_above=-1)
    with pytest.raises(UnknownCurrency):
        put("XXX", deny_above=1)

"""The proofs find a figure that is not what the operations say, whoever changed which of them."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, reading
from app.figures import proofs
from app.ledger.proof import prove
from tests import factories
from tests.figures.history import MONDAY, at, rolled

pytestmark = pytest.mark.usefixtures("context")

TAMPERED = [
    ("money_figures_equal_operations", "UPDATE money_figures SET captured_amount = captured_amount {sign} 1"),
    ("money_figures_equal_operations", "UPDATE operations SET booked_amount = booked_amount {sign} 1"),
    ("attempt_figures_equal_operations", "UPDATE attempt_figures SET attempts = attempts {sign} 1"),
    ("daily_figures_equal_hourly", "UPDATE money_figures SET declined_count = declined_count {sign} 1"),
]
OF_DAYS = " AND span = 'day'"
OF_HOURS = " AND span = 'hour'"


@pytest.fixture
def merchant(tenant):
    at(MONDAY, factories.captured, tenant, 4_000)
    rolled()
    return tenant.merchant_id


def broken():
    with reading(ALL) as connection:
        return prove(connection, proofs.PROOFS)


@pytest.mark.parametrize(("proof", "change"), TAMPERED, ids=[f"{proof}-{n}" for n, (proof, _) in enumerate(TAMPERED)])
def test_a_changed_row_is_found(merchant, proof, change):
    spans = "" if "operations SET" in change else OF_DAYS if proof.startswith("daily") else OF_HOURS
    where = f" WHERE merchant_id = :merchant{spans}" + (" AND kind = 'capture'" if not spans else "")
    assert broken() == {}
    _run(change.format(sign="+") + where, merchant)
    try:
        assert str(merchant) in str([dict(row) for row in broken()[proof]])
    finally:
        _run(change.format(sign="-") + where, merchant)
    assert broken() == {}


def test_a_figure_without_operations_and_operations_without_a_figure_are_found(merchant):
    _run("UPDATE money_figures SET currency = 'CHF' WHERE merchant_id = :merchant", merchant)
    found = broken()["money_figures_equal_operations"]
    assert {row["currency"]: (row["figures_say"] is None, row["rows_say"] is None) for row in found} == {
        "CHF": (False, True),
        "EUR": (True, False),
    }
    _run("UPDATE money_figures SET currency = 'EUR' WHERE merchant_id = :merchant", merchant)
    assert broken() == {}


def test_what_was_not_rolled_up_yet_is_no_difference(tenant):
    at(MONDAY, factories.captured, tenant, 4_000)
    assert broken() == {}, "its events have no position yet"


def _run(statement, merchant):
    with atomic(ALL) as connection:
        assert connection.execute(text(statement), {"merchant": merchant}).rowcount

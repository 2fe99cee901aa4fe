"""Customers are found by number, e-mail address, name and surname; an erased one by nothing."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.core.fast import read_together
from app.customers.add import add_customer
from app.customers.erase import erase
from app.customers.find import known_as
from app.payments.find import given
from tests import factories


@pytest.fixture(scope="module")
def tenant(app, acquirers):
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture(scope="module")
def grete(app, tenant):
    columns = {"number": "KD-77", "name": "Grete Sänger-Öl", "email": "Grete@Kunde.example"}
    with app.app_context(), atomic(of(tenant.merchant_id, False)) as connection:
        return add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns=columns)


def ways(typed, *, live=False):
    """[(by, exact)] of what is found."""
    with reading(ALL) as connection:
        (rows,) = read_together(connection, given(typed, live=live), known_as(20))
    return [(row["by"], row["exact"]) for row in rows]


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("kd-77", ("number_key", "yes")),
        ("KD-7", ("number_key", "no")),
        ("GRETE@kunde.example", ("email_key", "yes")),
        ("grete@", ("email_key", "no")),
        ("grete sänger-öl", ("name_key", "yes")),
        ("sänger-öl", ("surname_key", "yes")),
        ("säng", ("surname_key", "no")),
    ],
)
def test_a_customer_is_found_by_what_is_known(context, grete, typed, way):
    assert ways(typed) == [way]
    assert ways(typed, live=True) == []


@pytest.mark.parametrize("typed", ["77", "unde.example", "%", "öl"])
def test_what_stands_in_the_middle_finds_nobody(context, grete, typed):
    assert ways(typed) == []


@pytest.mark.parametrize("name", ["number_key", "email_key", "name_key", "surname_key"])
def test_each_way_can_read_its_index_behind_row_security(context, grete, name):
    with reading(ALL) as connection:
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            connection.execute(text(f"SET LOCAL {setting} = off"))
        query = f"SELECT id FROM customers WHERE live = false AND {name} > 'k' AND {name} < 'k\U0010ffff'"
        plan = connection.execute(text(f"EXPLAIN {query} ORDER BY {name}, id LIMIT 20")).scalars()
        assert f"ix_customers_{name}" in "\n".join(plan)


def test_an_erased_customer_is_not_found(context, tenant):
    columns = {"number": "KD-gone", "name": "Hanna Fort", "email": "hanna@fort.example"}
    with atomic(of(tenant.merchant_id, False)) as connection:
        row = add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns=columns)
        assert ways("hanna fort") == [("name_key", "yes")]
        erase(connection, customer_id=row["id"], actor="test")
    assert ways("hanna fort") == ways("kd-gone") == ways("hanna@fort.example") == []

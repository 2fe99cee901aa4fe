"""The only two ways to the database, and what they refuse."""

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.core import http
from app.core.clock import now
from app.core.db import ALL, atomic, db, of, reading, savepoint, table_of
from app.core.events import Event, tell
from app.core.ids import uuid7
from app.customers.models import Customer
from app.merchants.models import Merchant

CUSTOMERS = table_of(Customer)
pytestmark = pytest.mark.usefixtures("context")


def _customer(connection, merchant_id, live=False):
    row = {"id": uuid7(), "merchant_id": merchant_id, "live": live, "language": "de", "created_at": now()}
    connection.execute(insert(CUSTOMERS).values(row))
    return row["id"]


def _visible(scope) -> set:
    with reading(scope) as connection:
        return set(connection.execute(select(CUSTOMERS.c.id)).scalars())


def test_each_merchant_and_mode_sees_only_its_own():
    one, other = uuid7(), uuid7()
    with atomic(ALL) as connection:
        mine, theirs = _customer(connection, one), _customer(connection, other)
        mine_live = _customer(connection, one, live=True)
    assert _visible(of(one, False)) & {mine, theirs, mine_live} == {mine}
    assert _visible(of(one, True)) & {mine, theirs, mine_live} == {mine_live}
    assert _visible(ALL) >= {mine, theirs, mine_live}


def test_without_a_scope_nothing_is_visible():
    with atomic(ALL) as connection:
        _customer(connection, uuid7())
    assert db.session.execute(select(CUSTOMERS.c.id)).all() == []
    db.session.rollback()


def test_a_row_of_another_merchant_cannot_be_written():
    with pytest.raises(DBAPIError, match="row-level security"), atomic(of(uuid7(), False)) as connection:
        _customer(connection, uuid7())


def test_reading_cannot_write():
    with reading(ALL) as connection:
        with pytest.raises(DBAPIError, match="read-only"):
            connection.exec_driver_sql("INSERT INTO job_runs VALUES ('x', now(), now(), now(), NULL, NULL)")


def test_atomic_is_all_or_nothing():
    merchant = uuid7()
    with pytest.raises(ZeroDivisionError), atomic(ALL) as connection:
        _customer(connection, merchant)
        tell("customer.added", subject=("customer", uuid7()), merchant_id=merchant, live=False)
        raise ZeroDivisionError
    with reading(ALL) as connection:
        assert connection.execute(select(Event.id).where(Event.merchant_id == merchant)).all() == []
        assert connection.execute(select(CUSTOMERS.c.id).where(CUSTOMERS.c.merchant_id == merchant)).all() == []


def test_a_savepoint_undoes_its_part_alone():
    merchant = uuid7()
    with atomic(ALL) as connection:
        kept = _customer(connection, merchant)
        with pytest.raises(IntegrityError), savepoint():
            connection.execute(insert(CUSTOMERS).values(id=kept, merchant_id=merchant, live=False, language="de"))
    assert _visible(of(merchant, False)) == {kept}


def test_atomic_does_not_nest():
    with pytest.raises(AssertionError, match="nest"), atomic(ALL), atomic(ALL):
        pass


def test_nothing_goes_out_while_a_transaction_is_open():
    with pytest.raises(AssertionError, match="outside"), atomic(ALL):
        http.send("GET", "http://127.0.0.1:9/")


def test_an_open_read_gives_its_connection_back_before_a_call():
    db.session.execute(text("SELECT 1"))
    assert db.session().in_transaction()
    with pytest.raises(http.NotSent):
        http.send("GET", "http://127.0.0.1:9/")
    assert not db.session().in_transaction()


def test_writes_outside_atomic_are_refused():
    with pytest.raises(AssertionError):
        db.session.execute(insert(CUSTOMERS).values(id=uuid7(), merchant_id=uuid7(), live=False))
    db.session.rollback()
    db.session.add(Merchant(id=uuid7(), name="x", created_at=now()))
    with pytest.raises(AssertionError):
        db.session.commit()
    db.session.rollback()


def test_changes_made_before_atomic_are_refused():
    db.session.add(Merchant(id=uuid7(), name="y", created_at=now()))
    with pytest.raises(AssertionError, match="before atomic"), atomic(ALL):
        pass
    assert not db.session.new


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET name = 'x'",
        "DELETE FROM events",
        "UPDATE event_log SET position = 0",
        "UPDATE ledger_lines SET amount = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_lines",
        "ALTER TABLE payments DISABLE ROW LEVEL SECURITY",
        "SET ROLE zahlwerk_owner",
    ],
)
def test_the_application_may_not_rewrite_history(statement):
    with pytest.raises(DBAPIError), atomic(ALL) as connection:
        connection.exec_driver_sql(statement)

"""Each proof of payments against operations and books finds what somebody changed behind the product's back."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic
from app.payments.capture import capture
from app.payments.checkout import open_checkout
from app.payments.refund import refund
from tests import factories
from tests.books import broken_proofs

SUMS = (
    *("authorised", "captured", "capture_pending", "cancelled", "cancel_pending"),
    *("refunded", "refund_pending", "charged_back"),
)


@pytest.fixture
def change() -> Iterator[Callable[[str, str, str, str], None]]:
    """change(table, how, which, back): `back` is how it was; other tests of this module prove the same database."""
    undo: list[str] = []

    def change(table: str, how: str, which: str, back: str) -> None:
        undo.append(f"UPDATE {table} SET {back} WHERE {which}")
        _run(f"UPDATE {table} SET {how} WHERE {which}")

    yield change
    for sql in undo:
        _run(sql)


def _run(sql: str) -> None:
    with atomic(ALL) as connection:
        connection.execute(text(sql))


@pytest.fixture
def done(act, tenant):
    """4,000 of 10,000 captured, 1,000 of them refunded; the rest is reserved."""
    done = factories.authorised(tenant, 10_000)
    capture(**act, payment_id=done.payment["id"], amount=4_000)
    refund(**act, payment_id=done.payment["id"], amount=1_000)
    assert broken_proofs() == {}
    return done


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_that_no_operation_explains_is_found(done, change, name):
    id_ = done.payment["id"]
    change("authorisations", f"{name} = {name} + 1", f"payment_id = '{id_}'", f"{name} = {name} - 1")
    change("payments", f"{name} = {name} + 1", f"id = '{id_}'", f"{name} = {name} - 1")
    found = broken_proofs()["operations_equal_authorisations"]
    assert [row[f"{name}_by_operations"] - row[name] for row in found] == [-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*SUMS, "over_captured", "over_returned"])
def test_a_payment_that_differs_from_its_authorisations_is_found(done, change, name):
    change("payments", f"{name} = {name} + 1", f"id = '{done.payment['id']}'", f"{name} = {name} - 1")
    assert "payments_equal_authorisations" in broken_proofs()


@pytest.mark.parametrize("name", ["over_captured", "over_returned"])
def test_what_is_over_is_compared_with_the_sums_and_with_the_books(done, change, name):
    id_ = done.payment["id"]
    change("authorisations", f"{name} = {name} + 1", f"payment_id = '{id_}'", f"{name} = {name} - 1")
    change("payments", f"{name} = {name} + 1", f"id = '{id_}'", f"{name} = {name} - 1")
    assert set(broken_proofs()) == {"over_is_what_is_over", "books_equal_payments"}


def test_an_operation_whose_state_was_changed_is_found(done, change):
    change(
        "operations",
        "state = 'unknown'",
        f"payment_id = '{done.payment['id']}' AND kind = 'refund'",
        "state = 'succeeded'",
    )
    [row] = broken_proofs()["operations_equal_authorisations"]  # type: ignore[misc]
    assert (row["refunded_by_operations"], row["refund_pending_by_operations"]) == (0, 1_000)


def test_a_closed_attempt_that_still_holds_money_is_found(done, change):
    change("authorisations", "is_open = false", f"payment_id = '{done.payment['id']}'", "is_open = true")
    assert set(broken_proofs()) == {"closed_hold_nothing"}


def test_a_payment_without_any_attempt_that_says_it_was_paid_is_found(tenant, change):
    opened = open_checkout(factories.an_order(), merchant_id=tenant.merchant_id, live=False, actor="test")
    change("payments", "captured = 1", f"id = '{opened.payment['id']}'", "captured = 0")
    assert {"payments_equal_authorisations", "books_equal_payments"} == set(broken_proofs())

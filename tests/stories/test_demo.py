"""What everybody sees first: the demo's shops and their history."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.clock import now
from app.payments.states import STATUSES
from tests.stories.stack import wait_until
from tools.stack.accounts import account, is_root

pytestmark = pytest.mark.timeout(600)


def _rows(stack, query: str) -> list:
    with stack.owner().connect() as connection:
        return list(connection.execute(text(query)).all())


def test_it_runs_from_a_clone_that_nobody_else_can_enter(stack):
    """As root the processes belong to another account, which reads a copy of the code: all stories run on that."""
    assert stack.clone.parent.stat().st_mode & 0o777 == 0o700
    web = Path(f"/proc/{stack.pid('web')}")
    if is_root():
        assert web.stat().st_uid == account().uid != 0
        assert not (web / "cwd").resolve().is_relative_to(stack.clone)
    else:
        assert (web / "cwd").resolve() == stack.clone.resolve()
    assert stack.get("/readyz")[0] == 200


def test_there_are_two_hundred_payments_in_every_state_over_ninety_days(stack):
    def seen() -> set[str]:
        return {row.status for row in _rows(stack, "SELECT DISTINCT status FROM payments")}

    with suppress(AssertionError):  # chargebacks come some seconds after their captures, and a job lets lapse
        wait_until(lambda: set(STATUSES) <= seen(), 90, "every state")
    assert set(STATUSES) - seen() == set()
    [made] = _rows(stack, "SELECT count(*) AS many, min(created_at) AS first, max(created_at) AS last FROM payments")
    assert made.many >= 200
    assert timedelta(days=80) < now() - made.first <= timedelta(days=91)
    assert now() - made.last < timedelta(days=1)


def test_payers_paid_by_card_and_by_paypal(stack):
    by = {row.method: row.many for row in _rows(stack, _BY_METHOD)}
    assert by["card"] >= 100
    assert by["paypal"] >= 10


_BY_METHOD = """
    SELECT method, count(*) AS many FROM payments
    WHERE status IN ('authorised', 'captured', 'partially_captured', 'partially_refunded', 'refunded', 'cancelled')
    GROUP BY method
"""


def test_two_merchants_have_different_looks(stack):
    slugs = [shop["slug"] for shop in stack.demo["shops"]]
    assert len(slugs) == 2
    shops = _rows(stack, "SELECT name, merchant_id, accent, radius, font, logo, texts FROM shops")
    for one in ("name", "merchant_id", "accent", "radius", "font", "logo"):
        assert len({getattr(shop, one) for shop in shops}) == 2, one
    for shop in shops:
        assert bytes(shop.logo).startswith(b"\x89PNG")
        assert set(shop.texts) == {"de", "en"}
    for merchant_id in {shop.merchant_id for shop in shops}:
        [paid] = _rows(stack, f"SELECT count(*) AS many FROM payments WHERE merchant_id = '{merchant_id}'")
        assert paid.many >= 50

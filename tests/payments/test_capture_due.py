"""Captures that are due: by date where the merchant is, and automatic ones that a crash left undone."""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import current_app
from sqlalchemy import text

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.merchants.add import MERCHANTS, change
from app.payments.capture import capture
from app.payments.capture_due import capture_due, due
from tests import factories
from tests.books import booked

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


def test_a_scheduled_capture_waits_for_its_day_and_is_then_made_once(tenant):
    payment_id = _scheduled(tenant, _today() + timedelta(days=3))
    assert _run(payment_id) == "authorised"
    _move_clock(tenant, days=3)
    assert _run(payment_id) == "captured"
    assert _run(payment_id) == "captured"
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}


def test_the_day_begins_where_the_merchant_is(tenant):
    zone = ZoneInfo("Pacific/Kiritimati")  # UTC+14: the first to see a day
    with atomic(ALL) as connection:
        change(connection, MERCHANTS, tenant.merchant_id, {"timezone": zone.key}, noun="merchant", actor="test")
    tomorrow_there = datetime.now(zone).date() + timedelta(days=1)
    today, tomorrow = _scheduled(tenant, datetime.now(zone).date()), _scheduled(tenant, tomorrow_there)
    found = {payment_id for payment_id, _, _ in due(100)}
    assert today in found and tomorrow not in found


def test_an_automatic_capture_left_undone_by_a_crash_is_made_after_a_minute(tenant):
    payment_id = _left_authorised(tenant)
    assert _run(payment_id) == "authorised"
    _ago(payment_id, seconds=61)
    assert _run(payment_id) == "captured"


def test_a_manual_payment_is_never_captured_by_itself(tenant):
    payment_id = factories.authorised(tenant).payment["id"]
    _ago(payment_id, seconds=100_000)
    assert _run(payment_id) == "authorised"


def test_what_waits_for_a_review_is_left_alone(tenant):
    payment_id = _left_authorised(tenant)
    _ago(payment_id, seconds=61)
    with atomic(ALL) as connection:
        connection.execute(
            text("UPDATE authorisations SET held_for_review = true WHERE payment_id = :id"), {"id": payment_id}
        )
    assert _run(payment_id) == "authorised"


def test_an_acquirer_that_is_busy_is_asked_again_after_ever_longer_whiles(tenant, acquirers):
    payment_id = _left_authorised(tenant)
    _ago(payment_id, seconds=61)
    acquirers["A"].control(down="busy")
    try:
        assert _run(payment_id) == "authorised"
        assert _captures(payment_id) == ["failed"]
        _ago(payment_id, seconds=61)
        assert not _is_due(payment_id)  # the second try comes after two minutes
        _captures_ago(payment_id, seconds=121)
        _run(payment_id)
        _ago(payment_id, seconds=61)
        _captures_ago(payment_id, seconds=121)
        assert not _is_due(payment_id)  # the third after four
    finally:
        acquirers["A"].control(down=None)
    _captures_ago(payment_id, seconds=121)
    assert _run(payment_id) == "captured"
    assert _captures(payment_id) == ["failed", "failed", "succeeded"]


@pytest.mark.parametrize(("amount", "state"), [(6_601, "declined"), (6_604, "unknown")])
def test_a_capture_that_was_declined_or_is_unclear_is_not_tried_again_by_itself(tenant, amount, state):
    payment_id = _left_authorised(tenant, amount)
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, actor="test")
    assert _captures(payment_id) == [state]
    _ago(payment_id, seconds=100_000)
    assert not _is_due(payment_id)


def _scheduled(tenant, day: date) -> UUID:
    return factories.authorised(tenant, 10_000, capture_mode="scheduled", capture_on=day).payment["id"]


def _left_authorised(tenant, amount: int = 10_000) -> UUID:
    """An automatic payment whose process died between the authorisation and the capture."""
    payment_id = factories.authorised(tenant, amount).payment["id"]
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE payments SET capture_mode = 'automatic' WHERE id = :id"), {"id": payment_id})
    return payment_id


def _today() -> date:
    return now().astimezone(ZoneInfo("Europe/Berlin")).date()


def _move_clock(tenant, days: int) -> None:
    values = {"clock_offset_seconds": days * 86_400}
    with atomic(ALL) as connection:
        change(connection, MERCHANTS, tenant.merchant_id, values, noun="merchant", actor="test")


def _ago(payment_id: UUID, seconds: int) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            text("UPDATE payments SET updated_at = updated_at - make_interval(secs => :seconds) WHERE id = :id"),
            {"id": payment_id, "seconds": seconds},
        )


def _captures_ago(payment_id: UUID, seconds: int) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            text(
                "UPDATE operations SET created_at = created_at - make_interval(secs => :seconds)"
                " WHERE payment_id = :id AND kind = 'capture'"
            ),
            {"id": payment_id, "seconds": seconds},
        )


def _captures(payment_id: UUID) -> list[str]:
    with reading(ALL) as connection:
        return list(
            connection.execute(
                text("SELECT state FROM operations WHERE payment_id = :id AND kind = 'capture' ORDER BY id"),
                {"id": payment_id},
            ).scalars()
        )


def _is_due(payment_id: UUID) -> bool:
    return payment_id in {found for found, _, _ in due(100)}


def _run(payment_id: UUID) -> str:
    capture_due(current_app._get_current_object())  # type: ignore[attr-defined]
    with reading(ALL) as connection:
        return connection.execute(text("SELECT status FROM payments WHERE id = :id"), {"id": payment_id}).scalar_one()

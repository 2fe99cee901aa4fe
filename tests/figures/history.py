"""Payments at moments of a past that tests know, and what the figures say about them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.clock import replaying
from app.core.db import ALL, reading
from app.figures.roll_up import Rolled, roll_up
from app.messages.relay import relay
from app.payments.capture import capture
from app.payments.perform import Done
from app.payments.refund import refund
from tests import factories

# A Monday in summer: Berlin is two hours ahead.
MONDAY = datetime(2026, 6, 15, 12, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(moment: datetime, make: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Lets something happen then."""
    with replaying(moment):
        return make(*arguments, **options)


def captured(tenant: factories.Tenant, done: Done, amount: int) -> Done:
    return capture(
        merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], amount=amount, actor="test"
    )


def refunded(tenant: factories.Tenant, done: Done, amount: int) -> Done:
    return refund(
        merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], amount=amount, actor="test"
    )


def rolled() -> Rolled:
    """Events get their positions, then figures are rolled up. Returns what one round did."""
    while relay():
        pass
    return roll_up()


def money_of(merchant_id: UUID, span: str = "hour") -> dict[tuple[datetime, str], dict[str, int]]:
    """(start, currency) -> the figures that are not zero."""
    found = _of("money_figures", merchant_id, span)
    known = ("span", "starts_at", "merchant_id", "live", "currency")
    return {
        (row["starts_at"].astimezone(UTC), row["currency"]): {
            name: value for name, value in row.items() if name not in known and value
        }
        for row in found
    }


def attempts_of(merchant_id: UUID, span: str = "hour") -> dict[tuple[datetime, str, str, str, str], int]:
    """(start, method, country, outcome, code) -> attempts."""
    return {
        (row["starts_at"].astimezone(UTC), row["method"], row["country"], row["outcome"], row["code"]): row["attempts"]
        for row in _of("attempt_figures", merchant_id, span)
    }


def _of(table: str, merchant_id: UUID, span: str) -> list[dict[str, Any]]:
    with reading(ALL) as connection:
        query = text(f"SELECT * FROM {table} WHERE merchant_id = :merchant AND span = :span ORDER BY starts_at")
        rows = connection.execute(query, {"merchant": merchant_id, "span": span}).mappings()
        return [dict(row) for row in rows]

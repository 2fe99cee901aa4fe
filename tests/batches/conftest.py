from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.batches.models import BATCHES, ROWS
from app.batches.start import Line, start
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id, uuid7
from app.payments.offers import offers
from app.staff.add import add_user
from app.staff.snapshot import snapshot
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def operator(context) -> UUID:
    with atomic(ALL) as connection:
        return add_user(
            connection,
            email=f"{uuid7()}@example.com",
            password="ein-langes-passwort",
            roles=["operator"],
            name="Olga Operator",
            actor="test",
        )


@pytest.fixture
def begin(tenant, operator) -> Callable[..., UUID]:
    """`begin("capture", [done, ...])`: starts a batch as its preview page does. Returns its id."""

    def begin(verb: Any, payments: list[Any], **changes: Any) -> UUID:
        rows = [one.payment for one in payments]
        with atomic(of(tenant.merchant_id, False)) as connection:
            offered = offers(connection, verb, [row["id"] for row in rows])
            lines = [Line(row, offered[row["id"]].amount, offered[row["id"]].refused) for row in rows]
            given: dict[str, Any] = {
                "live": False,
                "reason": "goods sent",
                "user_id": operator,
                "actor": f"staff:{public_id('usr', operator)}",
                "nonce": str(uuid7()),
            }
            return start(connection, verb, lines, **{**given, **changes})

    return begin


def rows_of(batch_id: UUID) -> list[dict[str, Any]]:
    with reading(ALL) as connection:
        found = connection.execute(select(ROWS).where(ROWS.c.batch_id == batch_id).order_by(ROWS.c.number))
        return [dict(row) for row in found.mappings()]


def states_of(batch_id: UUID) -> list[str]:
    return [row["state"] for row in rows_of(batch_id)]


def batch_of(batch_id: UUID) -> dict[str, Any]:
    with reading(ALL) as connection:
        return dict(connection.execute(select(BATCHES).where(BATCHES.c.id == batch_id)).mappings().one())


def staff_of(user_id: UUID) -> Any:
    with reading(ALL) as connection:
        return snapshot(connection, user_id)

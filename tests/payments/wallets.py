"""Contracts with the stand-ins of PayPal and Adyen, and payments by PayPal, made through our operations."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from sqlalchemy import select

from app.connectors.kinds import Contract
from app.core.db import ALL, atomic, reading
from app.merchants.add import add_contract
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.perform import Done
from app.payments.queries import OPERATIONS
from app.payments.resume import resume
from tests import factories
from tests.connectors.peers import paypal as peer


def add_wallet(tenant: factories.Tenant, wallet: Contract, **more: Any) -> UUID:
    """A contract with the stand-in for this merchant."""
    with atomic(ALL) as connection:
        return add_contract(
            connection,
            merchant_id=tenant.merchant_id,
            live=False,
            provider="paypal",
            label="PayPal",
            settings=wallet.settings,
            actor="test",
            **more,
        )


def add_adyen(tenant: factories.Tenant, acquirer: Contract) -> UUID:
    """A contract with Adyen's stand-in, before any other."""
    with atomic(ALL) as connection:
        return add_contract(
            connection,
            merchant_id=tenant.merchant_id,
            live=False,
            provider="adyen",
            label="Adyen",
            settings=acquirer.settings,
            priority=1,
            actor="test",
        )


def asked(act: dict[str, Any], amount: int = 10_000, *, store: bool = False, **order: Any) -> Done:
    """A payment whose payer is sent to PayPal."""
    return authorise(**act, order=factories.an_order(amount, **order), means=Means("paypal", store=store))


def authorised(act: dict[str, Any], amount: int = 10_000, **order: Any) -> Done:
    """And they agreed there."""
    done = asked(act, amount, **order)
    back = peer.payer_chooses(done.operation["action"]["url"])
    parameters = dict(parse_qsl(urlsplit(back).query))
    return resume(**act, operation_id=done.operation["id"], parameters=parameters)


def operations(payment_id: UUID, kind: str) -> list[dict[str, Any]]:
    """Oldest first."""
    query = select(OPERATIONS).where(OPERATIONS.c.payment_id == payment_id, OPERATIONS.c.kind == kind)
    with reading(ALL) as connection:
        return [dict(row) for row in connection.execute(query.order_by(OPERATIONS.c.id)).mappings()]

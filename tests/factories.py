"""Things that tests need, made only through the product's own operations."""

import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.connectors.kinds import Card, Payer
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.merchants import keys
from app.merchants.add import add_contract, add_merchant, add_shop
from app.payments.authorise import Means, authorise
from app.payments.perform import Done
from app.payments.start import Order
from tests.acquirers import RunningAcquirer

_numbers = itertools.count(1)

GOOD_CARD = Card(
    number="4242424242424242", expiry_month=12, expiry_year=2031, security_code="123", holder="Erika Muster"
)


@dataclass(frozen=True)
class Tenant:
    """A merchant with one shop, a contract and a key that may do everything (test mode)."""

    merchant_id: UUID
    shop_id: UUID
    contract_id: UUID
    key: str
    key_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def shop(self) -> str:
        return public_id("shp", self.shop_id)


def tenant(acquirer: RunningAcquirer, *, permissions: tuple[str, ...] = keys.PERMISSIONS, **shop: Any) -> Tenant:
    """A new merchant, with `acquirer` as its provider. Needs an application context."""
    number = next(_numbers)
    with atomic(ALL) as connection:
        merchant_id = add_merchant(connection, name=f"Merchant {number}", actor="test", email=f"m{number}@example.com")
        shop_id = add_shop(connection, merchant_id=merchant_id, name=f"Shop {number}", actor="test", **shop)
        contract_id = add_contract(
            connection,
            merchant_id=merchant_id,
            live=False,
            provider="sandbox_card",
            label=f"Acquirer {acquirer.letter}",
            settings=acquirer.settings,
            currencies=("EUR", "JPY", "KWD"),
            actor="test",
        )
        key_id, key = keys.issue(
            connection, merchant_id=merchant_id, live=False, name="test", permissions=permissions, actor="test"
        )
    return Tenant(merchant_id, shop_id, contract_id, key, key_id)


def authorised(tenant: Tenant, amount: int = 10_000, *, card: Card = GOOD_CARD, **order: Any) -> Done:
    """A payment that was asked to be authorised with `card`."""
    return authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        means=Means("card", card=card),
        order=an_order(amount, **order),
        actor="test",
    )


def an_order(amount: int = 10_000, **order: Any) -> Order:
    defaults: dict[str, Any] = {
        "amount": amount,
        "currency": "EUR",
        "merchant_reference": f"order-{next(_numbers)}",
        "payer": Payer(name="Erika Muster", email="erika@example.com"),
    }
    return Order(**{**defaults, **order})

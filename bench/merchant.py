"""A merchant for the benchmarks, opened through the product's own operations."""

from dataclasses import dataclass
from uuid import UUID

from bench.stack import Running


@dataclass(frozen=True)
class Merchant:
    merchant_id: UUID
    shop_id: UUID
    contract_id: UUID
    key: str
    checkout_path: str


def open_merchant(stack: Running, acquirer: str, endpoint: str) -> Merchant:
    """`endpoint`: URL of a webhook receiver, which is told everything."""
    from app.core.db import ALL, atomic
    from app.merchants import keys
    from app.merchants.add import add_contract, add_merchant, add_shop
    from app.messages.endpoints import add_endpoint
    from app.payments import checkout
    from app.payments.start import Order
    from sandbox.acquirers.letters import LETTERS
    from wsgi import create_app

    with create_app().app_context():
        with atomic(ALL) as connection:
            merchant_id = add_merchant(connection, name="Bench", actor="bench")
            shop_id = add_shop(connection, merchant_id=merchant_id, name="Bench", actor="bench")
            contract_id = add_contract(
                connection,
                merchant_id=merchant_id,
                live=False,
                provider="sandbox_card",
                label="Acquirer A",
                settings={
                    "url": acquirer,
                    "api_key": LETTERS["A"].api_key,
                    "news_secret": LETTERS["A"].news_secret,
                },
                actor="bench",
            )
            _, key = keys.issue(connection, merchant_id=merchant_id, live=False, name="bench", actor="bench")
            whose = {"merchant_id": merchant_id, "live": False, "actor": "bench"}
            add_endpoint(connection, url=endpoint, description="bench", events=[], **whose)
        opened = checkout.open_checkout(
            Order(4_990, "EUR", "bench", shop_id=shop_id), merchant_id=merchant_id, live=False, actor="bench"
        )
        path = f"/pay/{checkout.token(opened.checkout['id'])}"
    return Merchant(merchant_id, shop_id, contract_id, key, path)

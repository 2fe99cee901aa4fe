"""The demo's two merchants, their shops, contracts and keys."""

import json
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import UUID

from sqlalchemy import select

from app.config import settings
from app.core.db import ALL, atomic, reading, table_of
from app.core.ids import parse_id, public_id
from app.merchants import keys
from app.merchants.add import add_contract, add_merchant, add_shop
from app.merchants.contracts import news_path
from app.merchants.models import Shop
from app.messages.endpoints import ENDPOINTS, add_endpoint, rotate_secret
from sandbox.acquirers.letters import LETTERS
from sandbox.demo_logos import TYPE, mountains, sunrise

ACTOR = "job:demo"
SHOP = table_of(Shop)


@dataclass(frozen=True)
class DemoShop:
    """`acquirers`: letters in the order in which they are tried."""

    merchant: str
    name: str
    slug: str
    acquirers: str
    look: dict[str, Any]
    prices: tuple[int, ...]


@dataclass(frozen=True)
class Opened:
    """What the history needs of a shop, and what the demo file tells of it."""

    shop: DemoShop
    merchant_id: UUID
    shop_id: UUID
    told: dict[str, str] = field(repr=False)


SHOPS = (
    DemoShop(
        merchant="Café Morgenrot GmbH",
        name="Café Morgenrot",
        slug="cafe-morgenrot",
        acquirers="AB",
        look={
            "accent": "#9a3412",
            "radius": 14,
            "font": "serif",
            "theme": "light",
            "logo": sunrise("#9a3412"),
            "logo_type": TYPE,
            "texts": {
                "de": {
                    "thanks": "Wir rösten morgen früh und schicken Ihr Paket am selben Tag los.",
                    "support": "Fragen? Rufen Sie uns an: 0431 123456",
                },
                "en": {
                    "thanks": "We roast tomorrow morning and send your parcel the same day.",
                    "support": "Questions? Call us: +49 431 123456",
                },
            },
        },
        prices=(1_490, 1_790, 2_480, 3_290, 4_470, 5_960),
    ),
    DemoShop(
        merchant="Nordlicht Outdoor AG",
        name="Nordlicht Outdoor",
        slug="nordlicht-outdoor",
        acquirers="EC",
        look={
            "accent": "#0f5c6e",
            "radius": 4,
            "font": "system",
            "theme": "light",
            "logo": mountains("#0f5c6e"),
            "logo_type": TYPE,
            "texts": {
                "de": {
                    "welcome": "Schön, dass Sie mit uns hinausgehen.",
                    "support": "Fragen? hilfe@nordlicht-outdoor.example",
                },
                "en": {
                    "welcome": "Good to have you out there with us.",
                    "support": "Questions? help@nordlicht-outdoor.example",
                },
            },
        },
        prices=(3_990, 8_900, 12_900, 19_900, 24_900, 64_900),
    ),
)


def open_merchant(shop: DemoShop) -> Opened:
    """A merchant with shop, acquirers, PayPal, an API key and a webhook endpoint at the catcher."""
    sandbox = settings().sandbox_url or "http://127.0.0.1:8701"
    with atomic(ALL) as connection:
        merchant_id = add_merchant(
            connection, name=shop.merchant, email=f"technik@{shop.slug}.example", actor=ACTOR, sandbox=True
        )
        shop_id = add_shop(
            connection,
            merchant_id=merchant_id,
            name=shop.name,
            actor=ACTOR,
            allowed_origins=[_origin(sandbox)],
            terms_url=f"{sandbox}/shop/{shop.slug}/agb",
            privacy_url=f"{sandbox}/shop/{shop.slug}/datenschutz",
            imprint_url=f"{sandbox}/shop/{shop.slug}/impressum",
            notify_email=f"bestellungen@{shop.slug}.example",
            **shop.look,
        )
        paypal_id = _add_contracts(connection, shop, merchant_id, sandbox)
        _, key = keys.issue(connection, merchant_id=merchant_id, live=False, name="Shop", actor=ACTOR)
        _, secret = add_endpoint(
            connection,
            merchant_id=merchant_id,
            live=False,
            url=f"{sandbox}/webhooks/in/{shop.slug}",
            description="Shop",
            events=[],
            actor=ACTOR,
        )
    _subscribe_to_paypal(shop, sandbox, news_path(paypal_id, "paypal"))
    return Opened(shop, merchant_id, shop_id, _told(shop, merchant_id, shop_id, key, secret))


def reopened(shop: DemoShop, told: dict[str, str]) -> Opened:
    """A shop of an earlier start, from what the demo file tells of it."""
    return Opened(shop, parse_id("mer", told["merchant"]), parse_id("shp", told["shop_id"]), told)


def adopted(shop: DemoShop) -> Opened | None:
    """A shop of an earlier start whose keys nobody knows any more: it gets new ones. None: there is none."""
    with reading(ALL) as connection:
        found = connection.execute(
            select(SHOP.c.merchant_id, SHOP.c.id).where(SHOP.c.name == shop.name).limit(1)
        ).first()
        if found is None:
            return None
        query = select(ENDPOINTS.c.id).where(ENDPOINTS.c.merchant_id == found.merchant_id).order_by(ENDPOINTS.c.id)
        endpoint_id = connection.execute(query.limit(1)).scalar_one()
    with atomic(ALL) as connection:
        _, key = keys.issue(connection, merchant_id=found.merchant_id, live=False, name="Shop", actor=ACTOR)
        secret = rotate_secret(connection, endpoint_id=endpoint_id, actor=ACTOR)
    return Opened(shop, found.merchant_id, found.id, _told(shop, found.merchant_id, found.id, key, secret))


def _told(shop: DemoShop, merchant_id: UUID, shop_id: UUID, key: str, secret: str) -> dict[str, str]:
    return {
        "name": shop.name,
        "slug": shop.slug,
        "merchant": public_id("mer", merchant_id),
        "shop_id": public_id("shp", shop_id),
        "api_key": key,
        "webhook_secret": secret,
    }


def _add_contracts(connection: Any, shop: DemoShop, merchant_id: UUID, sandbox: str) -> UUID:
    """Returns the PayPal contract's id."""
    for priority, letter in enumerate(shop.acquirers, start=1):
        acquirer = LETTERS[letter]
        add_contract(
            connection,
            merchant_id=merchant_id,
            live=False,
            provider="sandbox_card",
            label=f"Acquirer {letter}",
            settings={
                "url": _acquirer_url(letter),
                "api_key": acquirer.api_key,
                "news_secret": acquirer.news_secret,
            },
            currencies=("EUR", "CHF", "JPY", "KWD"),
            priority=priority * 10,
            actor=ACTOR,
        )
    return add_contract(
        connection,
        merchant_id=merchant_id,
        live=False,
        provider="paypal",
        label="PayPal",
        settings={
            "client_id": f"demo-{shop.slug}",
            "client_secret": f"demo-secret-{shop.slug}",
            "webhook_id": f"WH-{shop.slug}",
            "url": f"{sandbox}/paypal",
        },
        currencies=("EUR", "CHF"),
        priority=50,
        actor=ACTOR,
    )


def _subscribe_to_paypal(shop: DemoShop, sandbox: str, path: str) -> None:
    """What a merchant does in PayPal's dashboard: says where its webhooks go."""
    webhook = {"client_id": f"demo-{shop.slug}", "url": settings().public_url + path, "webhook_id": f"WH-{shop.slug}"}
    order = Request(
        f"{sandbox}/paypal/_control",
        json.dumps({"webhook": webhook}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        urlopen(order, timeout=5).close()
    except OSError as error:
        print(f"demo data: the PayPal stand-in does not answer ({error}); its notifications will be missing")


def _acquirer_url(letter: str) -> str:
    """Acquirer A listens on the sandbox's port + 1, B on the next one, and so on."""
    port = int(os.environ.get("PORT", "8700")) + 2 + "ABCDE".index(letter)
    return f"http://127.0.0.1:{port}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

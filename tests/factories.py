"""Things that tests need, made only through the product's own operations."""

import itertools
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from sqlalchemy import insert, select

from app.connectors.kinds import Card, News, Outcome, Payer
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id
from app.merchants import keys
from app.merchants.add import MERCHANTS, add_contract, add_merchant, add_shop, change
from app.payments import news
from app.payments.attempt import Means, new_attempt
from app.payments.authorise import authorise
from app.payments.capture import capture
from app.payments.perform import Done
from app.payments.queries import AUTHORISATIONS, CONTRACTS, PAYMENTS
from app.payments.start import Order, start
from app.risk.models import AmountCeiling
from sandbox.acquirers.cards import CARD_BY_NAME, FUTURE_EXPIRY
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


def tenant(
    acquirer: RunningAcquirer,
    *,
    permissions: tuple[str, ...] = keys.PERMISSIONS,
    honour_days: int | None = None,
    **shop: Any,
) -> Tenant:
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
            honour_days=honour_days,
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


def card(name: str) -> Card:
    """A published test card of the sandbox acquirers by its name (sandbox/acquirers/cards.py)."""
    published = CARD_BY_NAME[name]
    return Card(
        number=published.number,
        expiry_month=FUTURE_EXPIRY[0],
        expiry_year=FUTURE_EXPIRY[1],
        security_code=published.security_code,
        holder="Erika Muster",
    )


def captured(tenant: Tenant, amount: int = 10_000, **order: Any) -> Done:
    """A payment captured in full."""
    done = authorised(tenant, amount, **order)
    return capture(merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], actor="test")


def add_contract_to(tenant: Tenant, url: str, *, priority: int = 100, acquirer: RunningAcquirer | None = None) -> UUID:
    """One more contract, with an acquirer at `url` (`acquirer`: one that lets us in)."""
    with atomic(ALL) as connection:
        return add_contract(
            connection,
            merchant_id=tenant.merchant_id,
            live=False,
            provider="sandbox_card",
            label=url,
            settings=acquirer.settings if acquirer else {"url": url, "api_key": "none", "news_secret": "none"},
            priority=priority,
            actor="test",
        )


def pass_challenge(done: Done, decision: str = "approve") -> dict[str, str]:
    """Presses the button on the acquirer's 3-D Secure page. Returns the parameters of the redirect back."""
    page = urlsplit(done.operation["action"]["url"])
    connection = HTTPConnection(page.netloc, timeout=5)
    connection.request(
        "POST",
        page.path,
        urlencode({"decision": decision, **dict(parse_qsl(page.query))}),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (302, 303), answer.status
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def held_for_review(tenant: Tenant, amount: int = 10_000) -> Done:
    """An authorised payment that a risk check holds back from capture."""
    with atomic(ALL) as connection:
        connection.execute(
            insert(AmountCeiling).values(
                merchant_id=tenant.merchant_id, live=False, currency="EUR", review_above=amount - 1, deny_above=None
            )
        )
    return authorised(tenant, amount)


def move_clock(tenant: Tenant, *, days: int) -> None:
    """Moves the business time of this sandbox merchant forward."""
    with atomic(ALL) as connection:
        change(
            connection,
            MERCHANTS,
            tenant.merchant_id,
            {"clock_offset_seconds": days * 86_400},
            noun="merchant",
            actor="test",
        )


def fresh(done: Done) -> dict[str, Any]:
    """The payment's row as it is now."""
    with reading(ALL) as connection:
        return dict(connection.execute(select(PAYMENTS).where(PAYMENTS.c.id == done.payment["id"])).mappings().one())


def hear(
    tenant: Tenant, done: Done, kind: Any, outcome: str, amount: int, *, reference: str, news_id: str = "", **more: Any
) -> bool:
    """Books a fact as if the provider had told it about this operation."""
    fact = News(
        id=news_id or f"news-{next(_numbers)}",
        kind=kind,
        outcome=Outcome(outcome),
        amount=amount,
        currency=done.payment["currency"],
        operation_key=public_id("op", done.operation["id"]) if "dispute" not in more else None,
        provider_reference=reference,
        **more,
    )
    with atomic(of(tenant.merchant_id, False)) as connection:
        return news.book(connection, tenant.contract_id, fact)


def done_in_portal(tenant: Tenant, done: Done, kind: Any, amount: int, outcome: str = "approved") -> None:
    """Somebody did it at the provider itself: it names the authorisation, not an operation of ours."""
    number = next(_numbers)
    fact = News(
        id=f"portal-{number}",
        kind=kind,
        outcome=Outcome(outcome),
        amount=amount,
        currency=done.payment["currency"],
        provider_reference=f"portal-{number}",
        authorisation_reference=authorisation_of(done)["provider_reference"],
    )
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, fact)


def left_submitted(tenant: Tenant) -> Done:
    """A payment whose process died after it had written its authorisation down and before it called anybody."""
    with atomic(of(tenant.merchant_id, False)) as connection:
        payment = start(connection, an_order(), merchant_id=tenant.merchant_id, live=False, actor="test")
        contract = connection.execute(select(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id)).mappings().one()
        operation = new_attempt(connection, payment, dict(contract), Means("card", card=GOOD_CARD), "test")
    return Done(payment, operation)


def authorisation_of(done: Done) -> dict[str, Any]:
    """The row of the payment's newest authorisation."""
    with reading(ALL) as connection:
        return dict(
            connection.execute(
                select(AUTHORISATIONS)
                .where(AUTHORISATIONS.c.payment_id == done.payment["id"])
                .order_by(AUTHORISATIONS.c.attempt.desc())
                .limit(1)
            )
            .mappings()
            .one()
        )


def add_shop_to(tenant: Tenant, **columns: Any) -> UUID:
    with atomic(ALL) as connection:
        return add_shop(connection, merchant_id=tenant.merchant_id, name="Another shop", actor="test", **columns)

"""Hosted checkouts: a payment that the payer makes on our page.

The link is signed, so nothing secret is stored; it names the checkout and nothing else.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from app.config import settings
from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading, table_of
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.idempotency import Once, claim
from app.core.ids import parse_id, public_id, uuid7
from app.core.states import move
from app.core.texts import N_
from app.merchants.models import Merchant, ProviderContract, Shop
from app.payments.attempt import Means
from app.payments.authorise import AttemptUnderWay, attempt_under_way, authorise, give_up_action
from app.payments.models import Checkout
from app.payments.perform import Done
from app.payments.permit import Permit, always
from app.payments.queries import AUTHORISATIONS, OPERATIONS, PAYMENTS, locked_payment
from app.payments.schedule import lasting
from app.payments.start import Order, start
from app.payments.states import CHECKOUT
from app.receivables import collect

CHECKOUTS = table_of(Checkout)
SHOPS = table_of(Shop)
OPEN_FOR = timedelta(hours=24)
ACTION_FOR = collect.OPEN_FOR  # a payer who is at their bank has this long, also if the checkout's time ends meanwhile


class CheckoutClosed(Conflict):
    code = "checkout_closed"
    message = N_("This checkout is %(state)s.")
    advice = N_("Go back to the shop and start again.")


class ShopNeeded(Refusal):
    code = "shop_needed"
    message = N_("Say which shop this checkout is for.")
    advice = N_("Send `shop` with the id of one of your shops.")


class OtherCurrency(Refusal):
    code = "other_currency"
    message = N_("What is owed is owed in %(currency)s.")


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkout with its payment, shop and merchant (rows as mappings)."""

    checkout: Mapping[str, Any]
    payment: Mapping[str, Any]
    shop: Mapping[str, Any]
    merchant: Mapping[str, Any]


def open_checkout(
    order: Order,
    *,
    merchant_id: UUID,
    live: bool,
    actor: str,
    places_order: bool = True,
    language: str | None = None,
    once: Once | None = None,
    permit: Permit = always,
) -> Opened:
    """A new checkout for `order`: for a debt that exists (`order.receivable_id`) or a new one. `permit`: see start().

    Raises ShopNeeded, NotFound (shop, receivable), AmountOutOfRange, NothingDue, LessDue, OtherCurrency; Repeated and
    KeyReused; and what `permit` raises.
    """
    with atomic(of(merchant_id, live)) as connection:
        checkout_id = uuid7()
        claim(connection, once, merchant_id, live, ("checkout", checkout_id))
        shop = _shop(connection, merchant_id, order.shop_id)
        receivable_id = _debt(connection, order, merchant_id, live)
        chosen = language or shop["language"]
        order = replace(
            order,
            shop_id=shop["id"],
            receivable_id=receivable_id,
            source="checkout",
            payer=replace(order.payer, language=chosen),
        )
        payment = start(connection, order, merchant_id=merchant_id, live=live, actor=actor, permit=permit)
        row = {
            "id": checkout_id,
            "merchant_id": merchant_id,
            "live": live,
            "shop_id": shop["id"],
            "payment_id": payment["id"],
            "state": "open",
            "step": 1,
            "language": chosen,
            "places_order": places_order,
            "return_url": order.return_url,
            "expires_at": now() + OPEN_FOR,
            "created_at": now(),
        }
        connection.execute(insert(CHECKOUTS).values(row))
        tell(
            "checkout.created",
            subject=("checkout", checkout_id),
            step=1,
            merchant_id=merchant_id,
            live=live,
            payment_id=payment["id"],
            payment_step=payment["step"],
            data={"checkout": public_id("chk", checkout_id), "payment": {"id": public_id("pay", payment["id"])}},
            actor=actor,
        )
        return Opened(row, payment, shop, {"id": merchant_id})


def _debt(connection: Connection, order: Order, merchant_id: UUID, live: bool) -> UUID:
    """The receivable that the checkout points at: there is one row per debt, however many checkouts are made for it."""
    if order.receivable_id is None:
        return collect.owe(
            connection,
            merchant_id=merchant_id,
            live=live,
            reference=order.merchant_reference,
            amount=order.amount,
            currency=order.currency,
        )
    debt = collect.locked(connection, order.receivable_id)
    if debt["due"] == 0:
        raise collect.NothingDue(param="receivable")
    if debt["currency"] != order.currency:
        raise OtherCurrency(param="currency", currency=debt["currency"])
    if debt["due"] < order.amount:
        raise collect.LessDue(param="amount", due=debt["due"])
    return debt["id"]


def token(checkout_id: UUID) -> str:
    """What stands in the link: the id and its signature."""
    key = public_id("chk", checkout_id)
    return f"{key}.{vault.page_signature('checkout', key)}"


def url(checkout_id: UUID) -> str:
    return f"{settings().public_url}/pay/{token(checkout_id)}"


def find(token_: str) -> Opened:
    """The checkout of a link. Raises NotFound for a wrong, changed or unknown one."""
    key, _, signature = token_.partition(".")
    if not hmac.compare_digest(signature.encode(), vault.page_signature("checkout", key).encode()):
        raise NotFound()
    return read(parse_id("chk", key))


def read(checkout_id: UUID) -> Opened:
    """A checkout by id. Raises NotFound."""
    merchants = table_of(Merchant)
    with reading(ALL) as connection:
        row = connection.execute(
            select(CHECKOUTS, PAYMENTS, SHOPS, merchants)
            .select_from(CHECKOUTS)
            .join(PAYMENTS, PAYMENTS.c.id == CHECKOUTS.c.payment_id)
            .join(SHOPS, SHOPS.c.id == CHECKOUTS.c.shop_id)
            .join(merchants, merchants.c.id == CHECKOUTS.c.merchant_id)
            .where(CHECKOUTS.c.id == checkout_id)
        ).first()
    if row is None:
        raise NotFound()
    values = iter(tuple(row))
    parts = [{column.name: next(values) for column in table.c} for table in (CHECKOUTS, PAYMENTS, SHOPS, merchants)]
    return Opened(*parts)


def latest_attempt(opened: Opened) -> Mapping[str, Any] | None:
    """The newest attempt to pay: its number, method, brand and last4, and `operation_id`, `state`, `code`,
    `action` and `created_at` of its authorise operation. None: nobody has tried."""
    checkout = opened.checkout
    with reading(of(checkout["merchant_id"], checkout["live"])) as connection:
        row = (
            connection.execute(
                select(
                    *(AUTHORISATIONS.c[name] for name in ("attempt", "method", "provider", "brand", "last4")),
                    *(OPERATIONS.c[name] for name in ("state", "code", "action", "created_at", "updated_at")),
                    OPERATIONS.c.id.label("operation_id"),
                )
                .join(OPERATIONS, OPERATIONS.c.authorisation_id == AUTHORISATIONS.c.id)
                .where(AUTHORISATIONS.c.payment_id == checkout["payment_id"], OPERATIONS.c.kind == "authorise")
                .order_by(AUTHORISATIONS.c.attempt.desc())
                .limit(1)
            )
            .mappings()
            .first()
        )
    return dict(row) if row else None


def methods(opened: Opened) -> frozenset[str]:
    """Names of the methods that an active contract takes in this checkout's currency, and reserves for long enough."""
    checkout, capture_on = opened.checkout, opened.payment["capture_on"]
    contracts = table_of(ProviderContract)
    with reading(of(checkout["merchant_id"], checkout["live"])) as connection:
        rows = connection.execute(
            select(contracts.c.methods, contracts.c.provider, contracts.c.authorisation_days).where(
                contracts.c.merchant_id == checkout["merchant_id"],
                contracts.c.live == checkout["live"],
                contracts.c.active,
                contracts.c.currencies.contains([opened.payment["currency"]]),
            )
        ).mappings()
        found: list[Mapping[str, Any]] = [dict(row) for row in rows]
        if capture_on is not None:
            found = lasting(connection, found, capture_on, checkout["merchant_id"])
        return frozenset(name for row in found for name in row["methods"])


def pay(
    opened: Opened, means: Means, *, attempt: int | None = None, language: str | None = None, actor: str = "payer"
) -> Done:
    """The payer presses the button. Two tabs, a double click or a reload pay once.

    `attempt`: number of the attempt that the pressed form was made for; the same number pays once, whatever
    became of it meanwhile. `language`: what the payer chose on the page, for all that follows. Raises
    Repeated for the second time, CheckoutClosed, LessDue (the payment asks for that much now) and what authorise()
    raises.
    """
    checkout, payment = opened.checkout, opened.payment
    with atomic(of(checkout["merchant_id"], checkout["live"])) as connection:
        locked_payment(connection, payment["id"])
        state = connection.execute(select(CHECKOUTS.c.state).where(CHECKOUTS.c.id == checkout["id"])).scalar_one()
        if state != "open":
            raise CheckoutClosed(state=state)
        if language and language != checkout["language"]:
            for table, id_ in ((CHECKOUTS, checkout["id"]), (PAYMENTS, payment["id"])):
                connection.execute(update(table).where(table.c.id == id_).values(language=language))
        if checkout["expires_at"] <= now():
            if not expire(connection, checkout):
                raise AttemptUnderWay()
            state = "expired"
    if state == "expired":
        raise CheckoutClosed(state=state)
    try:
        return authorise(
            merchant_id=checkout["merchant_id"],
            live=checkout["live"],
            payment_id=payment["id"],
            means=means,
            actor=actor,
            once=_once(checkout, attempt) if attempt is not None else None,
        )
    except collect.LessDue:
        _ask_for_less(opened, actor)
        raise


def _once(checkout: Mapping[str, Any], attempt: int) -> Once:
    """No body: a second press counts as a repetition whichever card it names."""
    return Once(key=f"{public_id('chk', checkout['id'])}/attempt/{attempt}", route="checkout", body=b"")


def _ask_for_less(opened: Opened, actor: str) -> None:
    """Part of the debt was paid meanwhile: the payment asks for the rest. The payer sees that before they pay it."""
    checkout = opened.checkout
    with atomic(of(checkout["merchant_id"], checkout["live"])) as connection:
        payment = locked_payment(connection, opened.payment["id"])
        due = collect.locked(connection, payment["receivable_id"])["due"]
        if not 0 < due < payment["amount"]:
            return
        step = payment["step"] + 1
        connection.execute(
            update(PAYMENTS)
            .where(PAYMENTS.c.id == payment["id"])
            .values(amount=due, step=PAYMENTS.c.step + 1, updated_at=now())
        )
        tell(
            "payment.amount_lowered",
            subject=("payment", payment["id"]),
            merchant_id=payment["merchant_id"],
            live=payment["live"],
            payment_id=payment["id"],
            payment_step=step,
            data={
                "payment": {"id": public_id("pay", payment["id"]), "status": payment["status"], "amount": due},
                "receivable": public_id("rcv", payment["receivable_id"]),
                "amount": due,
                "currency": payment["currency"],
            },
            actor=actor,
        )


def expire(connection: Connection, checkout: Mapping[str, Any], *, actor: str = "job:expire") -> bool:
    """Closes an open checkout whose time is over, with its payment and its hold on the debt.

    Not while a provider has an attempt in hand, nor within half an hour after its payer was sent to a bank: then
    nobody has been told that it is over, and a yes counts. Afterwards a yes is given back. The payment is locked by
    the caller. Returns whether it was closed.
    """
    under_way = attempt_under_way(connection, checkout["payment_id"])
    if under_way is not None:
        if under_way.state != "action" or under_way.created_at > now() - ACTION_FOR:
            return False
        give_up_action(connection, under_way.id, actor=actor)
    data = {"checkout": public_id("chk", checkout["id"])}
    move(connection, CHECKOUT, CHECKOUTS, checkout, "expired", data=data, actor=actor)
    receivable_id = connection.execute(
        PAYMENTS.update()
        .where(PAYMENTS.c.id == checkout["payment_id"], PAYMENTS.c.stage.in_(("created", "failed")))
        .values(stage="expired")
        .returning(PAYMENTS.c.receivable_id)
    ).scalar()
    if receivable_id is not None:
        collect.release(connection, receivable_id, checkout["payment_id"])
    return True


def _shop(connection: Connection, merchant_id: UUID, shop_id: UUID | None) -> Mapping[str, Any]:
    """The named shop, or the only one there is."""
    query = select(SHOPS).where(SHOPS.c.merchant_id == merchant_id).limit(2)
    rows = connection.execute(query.where(SHOPS.c.id == shop_id) if shop_id else query).mappings().all()
    if not rows:
        raise NotFound(param="shop")
    if len(rows) > 1:
        raise ShopNeeded(param="shop")
    return dict(rows[0])

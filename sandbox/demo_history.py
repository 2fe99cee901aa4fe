"""What happened at the demo's shops in 90 days: payments in every state, made through the operations."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.connectors.kinds import Card, Payer
from app.core.errors import Refusal
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.checkout import open_checkout, pay
from app.payments.perform import Done
from app.payments.refund import refund
from app.payments.start import Order
from sandbox.acquirers.cards import CARD_BY_NAME, FUTURE_EXPIRY
from sandbox.demo_merchants import Opened
from sandbox.demo_paypal import approve_at_paypal

_FIRST = (
    "Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Käthe Leon Mia Noah Ole Paula Rosa Tim Ute Yusuf".split()
)
_LAST = "Müller Schmidt Öztürk Fischer Weber Nowak Groß Becker Hoffmann Schäfer Koch Bauer Richter Klein Wolf".split()
_BY_PAYPAL = 0.12  # of those that nothing unusual happens to
_GOOD = ("visa", "visa_debit", "mastercard", "mastercard_debit", "amex", "visa_austria", "mastercard_2")
_BAD = ("insufficient_funds", "do_not_honour", "card_expired", "suspected_fraud", "stolen_card", "limit_exceeded")


@dataclass(frozen=True)
class Plan:
    """One payment of the history. `course` is what happens to it after its beginning; a `fresh` one still waits.

    `card`: name of a published one; None: by PayPal.
    """

    shop: Opened
    order: Order
    card: str | None
    course: Callable[[dict[str, Any], Done], None]
    checkout: bool
    fresh: bool


def planned(choice: random.Random, shops: Sequence[Opened], count: int) -> list[Plan]:
    """`count` plans with every state among them, the frequent ones frequently."""
    courses = [*_RARE, *choice.choices([course for course, _ in _COMMON], [weight for _, weight in _COMMON], k=count)]
    plans = []
    for number, (card, course) in enumerate(courses[:count]):
        fresh = number < len(_RARE) or (course in (_stay, _never_paid, _capture_part) and choice.random() < 0.6)
        plans.append(_plan(choice, choice.choice(shops), number, card, course, fresh))
    choice.shuffle(plans)
    return plans


def _plan(choice: random.Random, shop: Opened, number: int, card: str | None, course: Any, fresh: bool) -> Plan:
    first, last = choice.choice(_FIRST), choice.choice(_LAST)
    price, quantity = choice.choice(shop.shop.prices), choice.choice((1, 1, 1, 2, 3))
    mail = f"{first}.{last}@example.org".lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    order = Order(
        amount=price * quantity,
        currency="EUR",
        merchant_reference=f"{shop.shop.slug[:2].upper()}-{20_400 + number}",
        order_number=str(20_400 + number),
        customer_number=f"K-{choice.randint(1000, 1400)}",
        description=f"{shop.shop.name}, Bestellung {20_400 + number}",
        lines=[{"name": "Artikel", "quantity": quantity, "amount": price * quantity}],
        payer=Payer(name=f"{first} {last}", email=mail, country="DE"),
        shop_id=shop.shop_id,
    )
    by_paypal = course is _held_for_review or choice.random() < _BY_PAYPAL
    paid_with = card or (None if by_paypal else choice.choice(_GOOD))
    return Plan(shop, order, paid_with, course, choice.random() < 0.6, fresh)


def live(plan: Plan) -> None:
    """Makes the payment and lets its course happen. What is refused on the way is part of the demo."""
    tenant = {"merchant_id": plan.shop.merchant_id, "live": False}
    if plan.course is _never_paid:
        open_checkout(plan.order, **tenant, actor="key:demo")
        return
    means = _means(plan)
    if plan.checkout:
        done = pay(open_checkout(plan.order, **tenant, actor="key:demo"), means)
    else:
        done = authorise(**tenant, means=means, order=plan.order, actor="key:demo")
    if plan.card is None:
        approve_at_paypal(done, "review" if plan.course is _held_for_review else "ok")
    try:
        plan.course({**tenant, "payment_id": done.payment["id"]}, done)
    except Refusal:
        return


def _means(plan: Plan) -> Means:
    if plan.card is None:
        return Means("paypal")
    published = CARD_BY_NAME[plan.card]
    return Means("card", card=Card(published.number, *FUTURE_EXPIRY, published.security_code, plan.order.payer.name))


def _stay(_: dict[str, Any], __: Done) -> None:
    """Nothing more happens."""


def _held_for_review(_: dict[str, Any], __: Done) -> None:
    """PayPal has not made up its mind. (What an acquirer has not decided, it decides within seconds.)"""


def _never_paid(_: dict[str, Any], __: Done) -> None:
    """The payer never came."""


def _capture(to: dict[str, Any], _: Done) -> None:
    capture(**to, actor="key:demo")


def _capture_part(to: dict[str, Any], done: Done) -> None:
    capture(**to, actor="staff:operator@zahlwerk.example", amount=done.payment["amount"] // 2, reason="Teillieferung")


def _capture_in_two(to: dict[str, Any], done: Done) -> None:
    _capture_part(to, done)
    capture(**to, actor="key:demo")


def _refund_part(to: dict[str, Any], done: Done) -> None:
    _capture(to, done)
    refund(
        **to, actor="staff:operator@zahlwerk.example", amount=done.payment["amount"] // 3, reason="Artikel beschädigt"
    )


def _refund(to: dict[str, Any], done: Done) -> None:
    _capture(to, done)
    refund(**to, actor="key:demo", reason="Widerruf")


def _cancel(to: dict[str, Any], _: Done) -> None:
    cancel(**to, actor="staff:operator@zahlwerk.example", reason="Nicht lieferbar")


# (card, course); None: any good card. The rare ones happen at least once each.
_RARE: tuple[tuple[str | None, Any], ...] = (
    *((card, _stay) for card in ("challenge", "pending", "no_answer", "garbled", "challenge_mastercard")),
    *(
        (card, _capture)
        for card in ("inquiry", "chargeback", "inquiry_chargeback", "chargeback_reversed", "chargeback_lost")
    ),
    *((card, _stay) for card in _BAD),
    *(
        (None, course)
        for course in (_held_for_review, _never_paid, _capture_part, _refund, _refund_part, _cancel, _capture_in_two)
    ),
)

_COMMON: tuple[tuple[tuple[str | None, Any], int], ...] = (
    ((None, _capture), 52),
    ((None, _stay), 12),
    ((None, _capture_in_two), 6),
    ((None, _capture_part), 4),
    ((None, _refund_part), 6),
    ((None, _refund), 5),
    ((None, _cancel), 5),
    (("insufficient_funds", _stay), 4),
    (("do_not_honour", _stay), 3),
    ((None, _never_paid), 3),
)

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

_FIRST = (
    "Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Käthe Leon Mia Noah Ole Paula Rosa Tim Ute Yusuf".split()
)
_LAST = "Müller Schmidt Öztürk Fischer Weber Nowak Groß Becker Hoffmann Schäfer Koch Bauer Richter Klein Wolf".split()
_GOOD = ("visa", "visa_debit", "mastercard", "mastercard_debit", "amex", "visa_austria", "mastercard_2")
_BAD = ("insufficient_funds", "do_not_honour", "card_expired", "suspected_fraud", "stolen_card", "limit_exceeded")


@dataclass(frozen=True)
class Plan:
    """One payment of the history. `course` is what happens to it after its beginning; a `fresh` one still waits."""

    shop: Opened
    order: Order
    card: str
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
    return Plan(shop, order, card or choice.choice(_GOOD), course, choice.random() < 0.6, fresh)


def live(plan: Plan) -> None:
    """Makes the payment and lets its course happen. What is refused on the way is part of the demo."""
    tenant = {"merchant_id": plan.shop.merchant_id, "live": False}
    published = CARD_BY_NAME[plan.card]
    card = Card(published.number, *FUTURE_EXPIRY, published.security_code, plan.order.payer.name)
    means = Means("card", card=card)
    if plan.course is _never_paid:
        open_checkout(plan.order, **tenant, actor="key:demo")
        return
    if plan.checkout:
        done = pay(open_checkout(plan.order, **tenant, actor="key:demo"), means)
    else:
        done = authorise(**tenant, means=means, order=plan.order, actor="key:demo")
    try:
        plan.course({**tenant, "payment_id": done.payment["id"]}, done)
    except Refusal:
        return


def _stay(_: dict[str, Any], __: Done) -> None:
    """Nothing more happens."""


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
    *((None, course) for course in (_never_paid, _capture_part, _refund, _refund_part, _cancel, _capture_in_two)),
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

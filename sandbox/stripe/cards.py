"""Stripe's published test cards (docs.stripe.com/testing). Any other number that passes the Luhn test is approved."""

from dataclasses import dataclass
from typing import Literal

from sandbox.stand_in import luhn


@dataclass(frozen=True, slots=True)
class TestCard:
    """`three_ds`: "always" asks the payer every time, "unless_saved" not when charged off session after set-up.
    `decline` happens when the card is charged (after 3-D Secure), `attach_decline` already when it is saved."""

    name: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: str | None = None
    saved_without_question: bool = True
    three_ds: Literal["always", "unless_saved"] | None = None
    dispute: str | None = None
    refund: Literal["succeeded", "pending", "failed"] = "succeeded"


GOOD = TestCard("good")
_CARDS = {
    "4242424242424242": GOOD,
    "4000056655665556": TestCard("visa_debit", funding="debit"),
    "4000002760000016": TestCard("visa_de", country="DE"),
    "5555555555554444": TestCard("mastercard", "mastercard"),
    "5200828282828210": TestCard("mastercard_debit", "mastercard", "debit"),
    "5105105105105100": TestCard("mastercard_prepaid", "mastercard", "prepaid"),
    "378282246310005": TestCard("amex", "amex"),
    "6011111111111117": TestCard("discover", "discover"),
    "3056930009020004": TestCard("diners", "diners"),
    "3566002020360505": TestCard("jcb", "jcb"),
    "4000000000000002": TestCard("declined", decline="generic_decline"),
    "4000000000009995": TestCard("insufficient_funds", decline="insufficient_funds"),
    "4000000000009987": TestCard("lost_card", decline="lost_card"),
    "4000000000009979": TestCard("stolen_card", decline="stolen_card"),
    "4000000000000069": TestCard("expired_card", decline="expired_card"),
    "4000000000000127": TestCard("incorrect_cvc", decline="incorrect_cvc"),
    "4000000000000119": TestCard("processing_error", decline="processing_error"),
    "4000000000006975": TestCard("velocity", decline="card_velocity_exceeded"),
    "4100000000000019": TestCard("fraudulent", decline="fraudulent"),
    "4000000000000341": TestCard("saved_then_declined", decline="generic_decline", saved_without_question=False),
    "4000002500003155": TestCard("three_ds_unless_saved", three_ds="unless_saved"),
    "4000002760003184": TestCard("three_ds_always", three_ds="always"),
    "4000000000003220": TestCard("three_ds_challenge", three_ds="always"),
    "4000008260003178": TestCard("three_ds_insufficient", three_ds="always", decline="insufficient_funds"),
    "4000000000000259": TestCard("disputed", dispute="needs_response"),
    "4000000000001976": TestCard("inquiry", dispute="warning_needs_response"),
    "4000000000007726": TestCard("refund_pending", refund="pending"),
    "4000000000005126": TestCard("refund_failed", refund="failed"),
}
BY_NAME = {card.name: card for card in _CARDS.values()}


def card_of(number: str) -> TestCard | None:
    """None for what is not a card number."""
    if not number.isdigit() or not 12 <= len(number) <= 19 or not luhn(number):
        return None
    return _CARDS.get(number, GOOD)


# The codes that come as `code` instead of as `decline_code` beside `card_declined`.
OWN_CODE = frozenset({"expired_card", "incorrect_cvc", "processing_error", "incorrect_number"})

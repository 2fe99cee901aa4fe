"""Adyen Checkout v72: cards, with captures, refunds and cancellations whose outcome comes by notification.

Adyen has no enquiry for payments: what is in doubt is sent again under the same idempotency key (never with
a raw card), or waits for its notification.

Sources: CheckoutService-v72.json and Webhooks-v1.json of Adyen/adyen-openapi; docs.adyen.com/online-payments/capture.
"""

from typing import TYPE_CHECKING

from app.connectors import _adyen_payments as payments
from app.connectors._adyen_calls import LONGEST_REFERENCE, TEST_URL, Conversation, path_of
from app.connectors._adyen_news import read_news
from app.connectors._adyen_words import to_wire
from app.connectors._reading import masked, text
from app.connectors._talk import run
from app.connectors.kinds import (
    Acknowledgement,
    Answer,
    Authorise,
    Can,
    Cancel,
    Capture,
    Contract,
    Enquire,
    Outcome,
    Refund,
    Register,
    Setting,
)
from app.core.texts import N_

__all__ = ["read_news"]

LABEL = "Adyen"
METHODS = frozenset({"card"})
CAN = Can(
    captures="many",
    refunds="many",
    cancel_rest=False,  # /cancels takes only what was not captured at all; the rest lapses (EXPIRE)
    tokens=True,
    unscheduled=True,
    authorisation_days=28,
    honour_days=7,
    reauthorise=False,
    resolve={
        "register": "by_reference",
        "authorise": "by_resend",
        "capture": "by_resend",
        "refund": "by_resend",
        "cancel": "by_resend",
    },
)
SETTINGS = (
    Setting("merchant_account", N_("Merchant account")),
    Setting("api_key", N_("API key"), secret=True),
    Setting("hmac_key", N_("HMAC key of the standard webhook"), secret=True, help=N_("64 hexadecimal digits.")),
    Setting(
        "url",
        N_("Address of the API"),
        required=False,
        default=TEST_URL,
        help=N_(
            "Live: https://PREFIX-checkout-live.adyenpayments.com/checkout/v72. Have Adyen enable multiple partial "
            "captures for the account, or the first capture cancels the rest."
        ),
    ),
    Setting("news_user", N_("User name for notifications"), required=False),
    Setting("news_password", N_("Password for notifications"), secret=True, required=False),
)
ACKNOWLEDGEMENT = Acknowledgement("[accepted]")


def register(contract: Contract, ask: Register) -> Answer:
    """The token is "shopper reference:stored payment method"."""
    return run(Conversation(contract), payments.register, ask)


def authorise(contract: Contract, ask: Authorise) -> Answer:
    """Never captures in the same step."""
    return run(Conversation(contract), payments.authorise, ask)


def capture(contract: Contract, ask: Capture) -> Answer:
    return run(Conversation(contract), _change, ask)


def refund(contract: Contract, ask: Refund) -> Answer:
    return run(Conversation(contract), _change, ask)


def cancel(contract: Contract, ask: Cancel) -> Answer:
    return run(Conversation(contract), _change, ask)


def enquire(contract: Contract, ask: Enquire) -> Answer:
    """Only a registration can be asked about; for the rest the answer is UNKNOWN."""
    return run(Conversation(contract), _enquire, ask)


_CHANGES = {Capture: ("capture", "captures"), Refund: ("refund", "refunds"), Cancel: ("cancel", "cancels")}


def _change(talk: Conversation, ask: Capture | Refund | Cancel) -> Answer:
    """A modification: Adyen says "received", and tells the outcome later. Its reference names verb and key, because
    a notification may carry the payment's reference instead."""
    verb, path = _CHANGES[type(ask)]
    reference = f"{verb}.{ask.operation_key}"
    assert len(reference) <= LONGEST_REFERENCE, "an operation key longer than Adyen's references"
    body: dict[str, object] = {"reference": reference}
    if not isinstance(ask, Cancel):
        body["amount"] = {"value": to_wire(ask.amount, ask.currency), "currency": ask.currency}
    found = talk.post(path_of(ask.provider_reference, path), body, key=ask.operation_key)
    talk.reference = text(found.get("pspReference"))
    if found.get("status") != "received" or talk.reference is None:
        raise talk.unknown("provider_word_unknown", field="status", word=masked(found.get("status")))
    return Answer(Outcome.PENDING, provider_reference=talk.reference)


def _enquire(talk: Conversation, ask: Enquire) -> Answer:
    talk.reference = ask.provider_reference
    if ask.verb == "register":
        return payments.enquire_register(talk, ask)
    return Answer(Outcome.UNKNOWN, provider_reference=ask.provider_reference)


if TYPE_CHECKING:
    from app.connectors import adyen as _me
    from app.connectors.kinds import Connector

    _: Connector = _me

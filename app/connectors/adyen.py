"""Adyen Checkout v72: cards, with captures, refunds and cancellations whose outcome comes by notification.

Adyen has no enquiry for payments. A modification in doubt is sent again under its idempotency key; a payment waits
for its notification (whoever has its token may send it again, never a raw card).

Sources: CheckoutService-v72.json and Webhooks-v1.json of Adyen/adyen-openapi; docs.adyen.com/online-payments/capture.
"""

from typing import TYPE_CHECKING

from app.connectors import _adyen_payments as payments
from app.connectors._adyen_calls import LONGEST_REFERENCE, TEST_URL, Conversation, path_of
from app.connectors._adyen_news import read_news
from app.connectors._adyen_words import to_wire
from app.connectors._checking import checked, host_of, mode_fits
from app.connectors._reading import masked, text
from app.connectors._talk import run
from app.connectors.kinds import (
    Acknowledgement,
    Answer,
    Authorise,
    Can,
    Cancel,
    Capture,
    Checked,
    Contract,
    Enquire,
    Outcome,
    Reached,
    Refund,
    Register,
    Setting,
)
from app.core.clock import now
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.core.texts import N_

__all__ = ["read_news"]

RESEND_SECONDS = 86_400

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
        "authorise": "by_news",
        "capture": "by_resend",
        "refund": "by_resend",
        "cancel": "by_resend",
    },
    rest="lapses",
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
    return run(Conversation(contract, asks=ask.resume is not None), payments.register, ask)


def authorise(contract: Contract, ask: Authorise) -> Answer:
    """Never captures in the same step."""
    return run(Conversation(contract, asks=ask.resume is not None), payments.authorise, ask)


def capture(contract: Contract, ask: Capture) -> Answer:
    return run(Conversation(contract), _change, ask)


def refund(contract: Contract, ask: Refund) -> Answer:
    return run(Conversation(contract), _change, ask)


def cancel(contract: Contract, ask: Cancel) -> Answer:
    return run(Conversation(contract), _change, ask)


def enquire(contract: Contract, ask: Enquire) -> Answer:
    """Registrations are looked up. A capture, refund or cancellation of which nothing was heard is sent again
    under its key, which changes nothing if it had arrived. For the rest the answer is UNKNOWN."""
    return run(Conversation(contract, asks=True), _enquire, ask)


def check(contract: Contract) -> Checked:
    """Asks which methods the merchant account has: takes key and account, changes nothing."""

    def call() -> Checked:
        host = host_of(contract.settings.get("url") or TEST_URL)
        if not mode_fits(contract.live, True if "-live" in host else False if "-test" in host else None):
            return Checked(Reached.WRONG_MODE)
        found = Conversation(contract).post("/paymentMethods", {})
        return Checked(Reached.WORKS if isinstance(found.get("paymentMethods"), list) else Reached.UNCLEAR)

    return checked(call)


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
    if ask.verb == "authorise" or ask.provider_reference or not ask.authorisation_reference or not _is_young(ask):
        return Answer(Outcome.UNKNOWN, provider_reference=ask.provider_reference)
    known = (ask.operation_key, ask.authorisation_reference, ask.amount, ask.currency)
    if ask.verb == "capture":
        return _change(talk, Capture(*known, final=False))
    return _change(talk, Refund(*known) if ask.verb == "refund" else Cancel(*known))


def _is_young(ask: Enquire) -> bool:
    """Adyen keeps keys for 31 days at least; a day is enough. An operation's key tells when it was made."""
    try:
        made = parse_id("op", ask.operation_key).int >> 80  # UUID version 7: milliseconds in the first 48 bits
    except NotFound:
        return False
    return now().timestamp() - made / 1000 < RESEND_SECONDS


if TYPE_CHECKING:
    from app.connectors import adyen as _me
    from app.connectors.kinds import Connector

    _: Connector = _me

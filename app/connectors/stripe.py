"""Stripe: cards through PaymentIntents with manual capture.

An intent is created without a card under the operation's key, so its id is known before anything can be
charged; then it gets the card and is confirmed. When an answer is lost, the intent is read, never paid again.

Sources: docs.stripe.com/api/payment_intents, /setup_intents, /refunds; docs.stripe.com/payments/place-a-hold-on-a-
payment-method (one capture, the rest is released); /payments/3d-secure/authentication-flow (redirect).
"""

from typing import TYPE_CHECKING

from app.connectors import _stripe_changes as changes
from app.connectors import _stripe_intents as intents
from app.connectors._checking import checked, mode_fits
from app.connectors._stripe_calls import DEFAULT_URL, Conversation
from app.connectors._stripe_news import read_news
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
    Reached,
    Refund,
    Register,
    Setting,
)
from app.core.texts import N_

__all__ = ["read_news"]

LABEL = "Stripe"
METHODS = frozenset({"card"})
CAN = Can(
    captures="one",
    refunds="many",
    cancel_rest=False,
    tokens=True,
    unscheduled=True,
    authorisation_days=7,
    honour_days=7,
    reauthorise=False,
    resolve={
        "register": "by_reference",
        "authorise": "by_reference",
        "capture": "by_id",  # the intent says it
        "refund": "by_reference",  # among the intent's refunds, by our key in its metadata
        "cancel": "by_id",
    },
)
SETTINGS = (
    Setting(
        "secret_key",
        N_("Secret key"),
        secret=True,
        help=N_("Starts with sk_. Stripe must have enabled raw card data for the account."),
    ),
    Setting(
        "webhook_secret",
        N_("Signing secret of the webhook endpoint"),
        secret=True,
        help=N_("Starts with whsec_. Subscribe to payment_intent.*, charge.*, charge.dispute.* and refund.*."),
    ),
    Setting("url", N_("Address of the API"), required=False, default=DEFAULT_URL),
)
ACKNOWLEDGEMENT = Acknowledgement()


def register(contract: Contract, ask: Register) -> Answer:
    """The token is "customer:payment method"."""
    return run(Conversation(contract, asks=ask.resume is not None), intents.register, ask)


def authorise(contract: Contract, ask: Authorise) -> Answer:
    return run(Conversation(contract, asks=ask.resume is not None), intents.authorise, ask)


def capture(contract: Contract, ask: Capture) -> Answer:
    """Stripe takes one capture and releases the rest: `released`. Its reference is the charge's."""
    return run(Conversation(contract), changes.capture, ask)


def refund(contract: Contract, ask: Refund) -> Answer:
    return run(Conversation(contract), changes.refund, ask)


def cancel(contract: Contract, ask: Cancel) -> Answer:
    return run(Conversation(contract), changes.cancel, ask)


def enquire(contract: Contract, ask: Enquire) -> Answer:
    return run(Conversation(contract, asks=True), changes.enquire, ask)


def check(contract: Contract) -> Checked:
    """Reads the balance (docs.stripe.com/api/balance): it says whether the key is a live one, as its prefix does."""

    def call() -> Checked:
        kind = contract.settings["secret_key"].partition("_")[2].partition("_")[0]
        known = {"live": True, "test": False}.get(kind)
        if not mode_fits(contract.live, known):
            return Checked(Reached.WRONG_MODE)
        balance = Conversation(contract).get("/v1/balance")
        if balance["object"] != "balance" or not isinstance(balance.get("livemode"), bool):
            return Checked(Reached.UNCLEAR)
        return Checked(Reached.WORKS if balance["livemode"] == contract.live else Reached.WRONG_MODE)

    return checked(call)


if TYPE_CHECKING:
    from app.connectors import stripe as _me
    from app.connectors.kinds import Connector

    _: Connector = _me

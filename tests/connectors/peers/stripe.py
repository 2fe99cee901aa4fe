"""Stripe for the test that walks over all connectors: the stand-in of `sandbox/stripe` on loopback."""

import hashlib
import hmac
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

import sandbox.stripe
from app.connectors import stripe
from app.connectors.kinds import Authorise, Cancel, Capture, Card, Contract, Enquire, Refund, Register
from app.core.ids import public_id, uuid7
from tests.connectors.peers._serving import get_json, post_json, served

NAME = "stripe"
SECRET_KEY = "sk_test_peer_51MxStripeSecret"
WEBHOOK_SECRET = "whsec_peer_MxStripeWebhook"
GOOD = "4242424242424242"
DECLINED = "4000000000009995"
SECURITY_CODE = "918"
SECRETS = (SECRET_KEY, WEBHOOK_SECRET, GOOD, DECLINED)  # three digits of a security code turn up by chance
RETURN_URL = "https://shop.example/back"

# Notifications that are in order.
NEWS = [
    json.loads(path.read_text())["event"] for path in sorted((Path(__file__).parents[1] / "golden/stripe").glob("*"))
]

Ask = Register | Authorise | Capture | Refund | Cancel | Enquire

# Where the money is decided: the call that a fault is to hit.
_CALLS = {"register": "/confirm", "authorise": "/confirm", "capture": "/capture", "refund": "POST /stripe/v1/refunds"}
_CALLS |= {"cancel": "/cancel", "enquire": "GET /stripe/v1/payment_intents"}
_AMOUNTS = {"KWD": 12_340, "JPY": 1999}


@contextmanager
def peer() -> Iterator[Contract]:
    with tempfile.TemporaryDirectory() as directory:
        app = Flask("stripe")
        sandbox.stripe.attach(app, Path(directory), webhook_secret=WEBHOOK_SECRET, secret_key=SECRET_KEY)
        with served(app) as url:
            yield contract(url + "/stripe")


def contract(url: str, secret_key: str = SECRET_KEY) -> Contract:
    settings = {"secret_key": secret_key, "webhook_secret": WEBHOOK_SECRET, "url": url}
    return Contract("con_stripe", "stripe", live=False, settings=settings)


def card(number: str = GOOD, year: int = 2039) -> Card:
    return Card(number, 12, year, SECURITY_CODE, "Erika Mustermann")


def key() -> str:
    return public_id("op", uuid7())


def order(contract: Contract, **orders: object) -> dict:
    return post_json(contract.settings["url"] + "/_control", orders)


def authorisation(number: str = GOOD, *, currency: str = "EUR", amount: int = 1999, **more) -> Authorise:
    given = {"operation_key": key(), "card": card(number), "return_url": RETURN_URL, **more}
    return Authorise(method="card", amount=amount, currency=currency, merchant_reference="order 1", **given)


def ask(verb: str, outcome: str, contract: Contract, *, currency: str = "EUR", amount: int | None = None) -> Ask:
    amount = amount or _AMOUNTS.get(currency, 1999)
    made = _ASKS[verb](contract, currency, amount, outcome == "decline")
    if outcome in ("garbled", "unknown_word"):
        order(contract, next=outcome, on=_CALLS[verb])
    return made


def garble_check(contract: Contract) -> None:
    """The next "does this connection work?" gets an answer that nobody understands."""
    order(contract, next="garbled", on="/balance")


def wire_amounts(contract: Contract) -> list[int]:
    asked = [one["asked"] for one in get_json(contract.settings["url"] + "/_control/received")]
    found = [one.get("amount") or one.get("amount_to_capture") for one in asked]
    return [int(one) for one in found if one]


def authorised(contract: Contract, currency: str, amount: int, number: str = GOOD) -> str:
    """The reference of an authorisation that may be captured."""
    answer = stripe.authorise(contract, authorisation(number, currency=currency, amount=amount))
    assert answer.provider_reference, answer
    return answer.provider_reference


def captured(contract: Contract, currency: str, amount: int) -> str:
    reference = authorised(contract, currency, amount)
    stripe.capture(contract, Capture(key(), reference, amount, currency, final=True))
    return reference


def _register(contract: Contract, currency: str, amount: int, decline: bool) -> Register:
    number = DECLINED if decline else GOOD
    return Register(key(), "card", currency, card=card(number), return_url=RETURN_URL)


def _authorise(contract: Contract, currency: str, amount: int, decline: bool) -> Authorise:
    return authorisation(DECLINED if decline else GOOD, currency=currency, amount=amount)


def _capture(contract: Contract, currency: str, amount: int, decline: bool) -> Capture:
    reference = (captured if decline else authorised)(contract, currency, amount)
    return Capture(key(), reference, amount, currency, final=True)


def _refund(contract: Contract, currency: str, amount: int, decline: bool) -> Refund:
    reference = captured(contract, currency, amount)
    if decline:
        stripe.refund(contract, Refund(key(), reference, amount, currency))
    return Refund(key(), reference, amount, currency)


def _cancel(contract: Contract, currency: str, amount: int, decline: bool) -> Cancel:
    return Cancel(key(), (captured if decline else authorised)(contract, currency, amount), amount, currency)


def _enquire(contract: Contract, currency: str, amount: int, decline: bool) -> Enquire:
    reference = authorised(contract, currency, amount, DECLINED if decline else GOOD)
    return Enquire("authorise", key(), amount, currency, provider_reference=reference)


_ASKS = {
    "register": _register,
    "authorise": _authorise,
    "capture": _capture,
    "refund": _refund,
    "cancel": _cancel,
    "enquire": _enquire,
}


def signed_news(contract: Contract, message: Any) -> tuple[dict[str, str], bytes]:
    """Headers and body of any notification, rightly signed."""
    body, at = json.dumps(message).encode(), str(int(time.time()))
    mac = hmac.digest(contract.settings["webhook_secret"].encode(), at.encode() + b"." + body, hashlib.sha256)
    return {"stripe-signature": f"t={at},v1={mac.hex()}"}, body

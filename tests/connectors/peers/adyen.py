"""Adyen for the test that walks over all connectors: the stand-in of `sandbox/adyen` on loopback."""

import base64
import copy
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

import sandbox.adyen
from app.connectors import adyen
from app.connectors._adyen_news import signature
from app.connectors._reading import part
from app.connectors.kinds import Authorise, Cancel, Capture, Card, Contract, Enquire, Payer, Refund, Register
from app.core.ids import public_id, uuid7
from tests.connectors.peers._serving import get_json, post_json, served

NAME = "adyen"
API_KEY = "AQEhhmfuXNWTK0Qc-peer-adyen-api-key"
HMAC_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ACCOUNT = "ZahlwerkTest"
NEWS_PASSWORD = "password-of-adyens-notifications"
GOOD = "5555341244441115"
THREE_DS = "4212345678901237"
SECURITY_CODE = "737"
SECRETS = (API_KEY, HMAC_KEY, NEWS_PASSWORD, GOOD)
RETURN_URL = "https://shop.example/back?order=1"

# Notifications that are in order.
NEWS = [
    json.loads(path.read_text())["message"] for path in sorted((Path(__file__).parents[1] / "golden/adyen").glob("*"))
]

Ask = Register | Authorise | Capture | Refund | Cancel | Enquire

# The call that a fault is to hit.
_CALLS = {"register": "/payments", "authorise": "/payments", "capture": "/captures", "refund": "/refunds"}
_CALLS |= {"cancel": "/cancels", "enquire": "/storedPaymentMethods"}


@contextmanager
def peer() -> Iterator[Contract]:
    with tempfile.TemporaryDirectory() as directory:
        app = Flask("adyen")
        login = f"zahlwerk:{NEWS_PASSWORD}"
        sandbox.adyen.attach(app, Path(directory), hmac_key=HMAC_KEY, api_key=API_KEY, news_login=login)
        with served(app) as url:
            yield contract(url + "/adyen/v72")


def contract(url: str, api_key: str = API_KEY) -> Contract:
    settings = {"merchant_account": ACCOUNT, "api_key": api_key, "hmac_key": HMAC_KEY, "url": url}
    login = {"news_user": "zahlwerk", "news_password": NEWS_PASSWORD}
    return Contract("con_adyen", "adyen", live=False, settings=settings | login)


def card(number: str = GOOD, holder: str = "Erika Mustermann", year: int = 2039, code: str = SECURITY_CODE) -> Card:
    return Card(number, 3, year, code, holder)


def key() -> str:
    return public_id("op", uuid7())


def control(contract: Contract) -> str:
    return contract.settings["url"].removesuffix("/v72") + "/_control"


def order(contract: Contract, **orders: object) -> dict:
    return post_json(control(contract), orders)


def authorisation(number: str = GOOD, *, currency: str = "EUR", amount: int = 1999, **more) -> Authorise:
    payer = Payer("Erika Mustermann", "erika@example.org", "DE", "de", "192.0.2.1", "Mozilla/5.0 (X11)")
    given = {"operation_key": key(), "card": card(number), "return_url": RETURN_URL, "payer": payer, **more}
    return Authorise(method="card", amount=amount, currency=currency, merchant_reference="order 1", **given)


def ask(verb: str, outcome: str, contract: Contract, *, currency: str = "EUR", amount: int | None = None) -> Ask | None:
    """None for a declined enquiry: Adyen can be asked about registrations only, and knows no refusal of one."""
    if (verb, outcome) == ("enquire", "decline"):
        return None
    made = _ASKS[verb](contract, currency, amount or 1999, outcome == "decline")
    if outcome in ("garbled", "unknown_word"):
        order(contract, next=outcome, on=_CALLS[verb])
    return made


def garble_check(contract: Contract) -> None:
    """The next "does this connection work?" gets an answer that nobody understands."""
    order(contract, next="garbled", on="/paymentMethods")


def wire_amounts(contract: Contract) -> list[int]:
    asked = [one["asked"] for one in get_json(control(contract) + "/received")]
    return [one["amount"]["value"] for one in asked if "amount" in one]


def authorised(contract: Contract, currency: str = "EUR", amount: int = 1999) -> str:
    """The reference of an authorisation that may be captured."""
    answer = adyen.authorise(contract, authorisation(currency=currency, amount=amount))
    assert answer.provider_reference, answer
    return answer.provider_reference


def captured(contract: Contract, currency: str = "EUR", amount: int = 1999) -> str:
    reference = authorised(contract, currency, amount)
    adyen.capture(contract, Capture(key(), reference, amount, currency, final=True))
    return reference


def _register(contract: Contract, currency: str, amount: int, decline: bool) -> Register:
    holder = "NOT_ENOUGH_BALANCE" if decline else "Erika Mustermann"
    return Register(key(), "card", currency, card=card(holder=holder), return_url=RETURN_URL)


def _authorise(contract: Contract, currency: str, amount: int, decline: bool) -> Authorise:
    holder = "NOT_ENOUGH_BALANCE" if decline else "Erika Mustermann"
    return authorisation(currency=currency, amount=amount, card=card(holder=holder))


def _capture(contract: Contract, currency: str, amount: int, decline: bool) -> Capture:
    reference = "NOTAPAYMENT00000" if decline else authorised(contract, currency, amount)
    return Capture(key(), reference, amount, currency, final=True)


def _refund(contract: Contract, currency: str, amount: int, decline: bool) -> Refund:
    reference = "NOTAPAYMENT00000" if decline else captured(contract, currency, amount)
    return Refund(key(), reference, amount, currency)


def _cancel(contract: Contract, currency: str, amount: int, decline: bool) -> Cancel:
    reference = "NOTAPAYMENT00000" if decline else authorised(contract, currency, amount)
    return Cancel(key(), reference, amount, currency)


def _enquire(contract: Contract, currency: str, amount: int, decline: bool) -> Enquire:
    registered = _register(contract, currency, amount, False)
    adyen.register(contract, registered)
    return Enquire("register", registered.operation_key, 0, currency)


_ASKS = {
    "register": _register,
    "authorise": _authorise,
    "capture": _capture,
    "refund": _refund,
    "cancel": _cancel,
    "enquire": _enquire,
}


def signed_news(contract: Contract, message: Any) -> tuple[dict[str, str], bytes]:
    """Headers and body of any notification, rightly signed where it has a place for the signature."""
    message = copy.deepcopy(message)
    listed = part(message).get("notificationItems")
    for one in listed if isinstance(listed, list) else []:
        item = part(one, "NotificationRequestItem")
        if isinstance(more := item.get("additionalData"), dict):
            more["hmacSignature"] = signature(item, bytes.fromhex(contract.settings["hmac_key"]))
    login = base64.b64encode(f"zahlwerk:{NEWS_PASSWORD}".encode()).decode()
    return {"authorization": f"Basic {login}"}, json.dumps(message).encode()

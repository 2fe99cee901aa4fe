"""The PayPal stand-in on loopback, and asks that make it approve, decline, mumble or use an unknown word."""

import json
import tempfile
import threading
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from app.connectors import paypal
from app.connectors._paypal_words import CURRENCIES
from app.connectors.kinds import (
    Authorise,
    Cancel,
    Capture,
    Contract,
    Enquire,
    Outcome,
    Refund,
    Register,
    Resume,
)
from sandbox.paypal import attach

NAME = "paypal"
SECRET = "paypal-secret-8c1f0d"
SECRETS: tuple[str, ...] = (SECRET, "A21AA")  # the client secret, and how every access token begins
RETURN_URL = "http://localhost:8700/pay/back?t=1"
NOT_ENABLED = "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE"

_MONEY = {"value": "19.90", "currency_code": "EUR"}
_LINKS = [{"rel": "up", "href": "https://api.paypal.com/v2/payments/authorizations/7AB"}]
_BOUGHT = {"id": "2GG", "amount": _MONEY, "status": "COMPLETED", "invoice_id": "R-1|c-op_1", "links": _LINKS}
_DISPUTE = {
    "dispute_id": "PP-D-1",
    "status": "OPEN",
    "dispute_life_cycle_stage": "CHARGEBACK",
    "reason": "UNAUTHORISED",
    "dispute_amount": _MONEY,
    "disputed_transactions": [{"seller_transaction_id": "2GG"}],
    "money_movements": [{"affected_party": "SELLER", "type": "DEBIT", "reason": "DISPUTE_FEE", "amount": _MONEY}],
    "seller_response_due_date": "2031-01-31T10:00:00Z",
}
_ENDED = {**_DISPUTE, "status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}
# Notifications that are in order.
NEWS: list[dict[str, Any]] = [
    {"id": "WH-1", "create_time": "2030-01-31T10:00:00Z", "event_type": name, "resource": resource}
    for name, resource in (
        ("PAYMENT.CAPTURE.COMPLETED", _BOUGHT),
        ("PAYMENT.CAPTURE.DENIED", {**_BOUGHT, "status_details": {"reason": "DECLINED_BY_RISK"}}),
        ("PAYMENT.CAPTURE.REFUNDED", _BOUGHT),
        ("PAYMENT.CAPTURE.REVERSED", _BOUGHT),
        ("PAYMENT.AUTHORIZATION.CREATED", {**_BOUGHT, "invoice_id": "R-1|a-op_1"}),
        ("PAYMENT.AUTHORIZATION.VOIDED", _BOUGHT),
        ("CHECKOUT.ORDER.APPROVED", {"id": "5O", "purchase_units": [{"amount": _MONEY, "invoice_id": "R-1|a-op_1"}]}),
        ("CUSTOMER.DISPUTE.CREATED", _DISPUTE),
        ("CUSTOMER.DISPUTE.RESOLVED", _ENDED),
    )
]


@contextmanager
def peer() -> Iterator[Contract]:
    with tempfile.TemporaryDirectory() as journal, serving(Path(journal)) as url:
        yield contract_with(url)


@contextmanager
def serving(journal_dir: Path, port: int = 0) -> Iterator[str]:
    """The stand-in's address while it runs."""
    app = Flask("paypal stand-in")
    attach(app, journal_dir)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/paypal"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def contract_with(url: str, **more: str) -> Contract:
    settings = {"url": url, "client_id": "shop-1", "client_secret": SECRET, "webhook_id": "WEBHOOK1", **more}
    return Contract(id=f"contract-{uuid.uuid4()}", provider=NAME, live=False, settings=settings)


def new_key() -> str:
    return f"op_{uuid.uuid4().hex}"


def control(contract: Contract, **orders: Any) -> Any:
    """Orders something at the stand-in (sandbox/paypal/control.py says what there is)."""
    request = urllib.request.Request(
        contract.settings["url"] + "/_control",
        json.dumps(orders).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def things(contract: Contract, kind: str) -> list[Any]:
    with urllib.request.urlopen(f"{contract.settings['url']}/_control/{kind}", timeout=5) as answer:
        return json.load(answer)


def garble_check(contract: Contract) -> None:
    """The next "does this connection work?" gets an answer that nobody understands."""
    control(contract, next={"verb": "token", "do": "garbled"})


def wire_amounts(contract: Contract) -> list[Any]:
    return [f"{amount['value']} {amount['currency_code']}" for amount in things(contract, "amounts")]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def payer_chooses(url: str, choice: str = "pay", payer: str = "ok") -> str:
    """Fills in the approval page. Returns where the payer is sent."""
    form = urllib.parse.urlencode({"choice": choice, "payer": payer}).encode()
    try:
        urllib.request.build_opener(_NoRedirects).open(url, form, timeout=5)
    except urllib.error.HTTPError as redirect:
        assert redirect.code == 303, redirect.code
        return redirect.headers["Location"]
    raise AssertionError("the approval page did not redirect")


def came_back(reference: str | None, location: str) -> Resume:
    """What the house makes of the payer's return."""
    assert reference
    return Resume(reference, dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query)))


def authorise_ask(amount: int = 1990, currency: str = "EUR", **more: Any) -> Authorise:
    known = {"operation_key": new_key(), "merchant_reference": "R-1001", "return_url": RETURN_URL}
    return Authorise(method="paypal", amount=amount, currency=currency, **{**known, **more})


def approved_ask(contract: Contract, payer: str = "ok", **more: Any) -> Authorise:
    """An authorisation whose order the payer has already approved: sending it takes the money."""
    first = authorise_ask(**more)
    answer = paypal.authorise(contract, first)
    assert answer.outcome is Outcome.ACTION and answer.action, answer
    location = payer_chooses(answer.action.url, payer=payer)
    known = {"operation_key": first.operation_key, "resume": came_back(answer.provider_reference, location)}
    return authorise_ask(**{**more, **known})


def authorised(contract: Contract, amount: int = 1990, currency: str = "EUR", **more: Any) -> str:
    """Reference of a fresh authorisation."""
    answer = paypal.authorise(contract, approved_ask(contract, amount=amount, currency=currency, **more))
    assert answer.outcome is Outcome.APPROVED and answer.provider_reference, answer
    return answer.provider_reference


def captured(contract: Contract, amount: int = 1990, currency: str = "EUR") -> tuple[str, str]:
    """References of a fresh authorisation and of its capture."""
    reference = authorised(contract, amount, currency)
    answer = paypal.capture(contract, Capture(new_key(), reference, amount, currency, final=True))
    assert answer.provider_reference, answer
    return reference, answer.provider_reference


def ask(verb: str, outcome: str, contract: Contract, *, currency: str = "EUR", amount: int | None = None) -> Any:
    """None where the combination cannot exist: PayPal has no KWD, and an enquiry is not declined."""
    if currency not in CURRENCIES and outcome != "decline":
        return None
    if currency not in CURRENCIES:
        return authorise_ask(amount or 1990, currency) if verb == "authorise" else None
    if verb == "enquire" and outcome == "decline":
        return None
    amount = amount or 1990
    prepared = _PREPARE[verb](contract, amount, currency)
    if (verb, outcome) == ("register", "unknown_word"):  # only the setup token has a word, the token itself has none
        prepared = Register(new_key(), "paypal", currency, return_url=RETURN_URL)
    if outcome != "approve":
        on = "enquire" if verb == "enquire" else verb
        issue = {"register": NOT_ENABLED}.get(verb)
        control(contract, next={"verb": on, "do": outcome, **({"issue": issue} if issue else {})})
    return prepared


def _register(contract: Contract, _: int, currency: str) -> Register:
    first = Register(new_key(), "paypal", currency, return_url=RETURN_URL)
    answer = paypal.register(contract, first)
    assert answer.action and answer.provider_reference, answer
    resume = came_back(answer.provider_reference, payer_chooses(answer.action.url))
    return Register(first.operation_key, "paypal", currency, return_url=RETURN_URL, resume=resume)


def _capture(contract: Contract, amount: int, currency: str) -> Capture:
    return Capture(new_key(), authorised(contract, amount, currency), amount, currency, final=True)


def _refund(contract: Contract, amount: int, currency: str) -> Refund:
    reference, capture = captured(contract, amount, currency)
    return Refund(new_key(), reference, amount, currency, capture_reference=capture)


def _cancel(contract: Contract, amount: int, currency: str) -> Cancel:
    return Cancel(new_key(), authorised(contract, amount, currency), amount, currency)


def _enquire(contract: Contract, amount: int, currency: str) -> Enquire:
    reference, capture = captured(contract, amount, currency)
    return Enquire("capture", new_key(), amount, currency, capture, reference)


_PREPARE: dict[str, Any] = {
    "register": _register,
    "authorise": lambda contract, amount, currency: approved_ask(contract, amount=amount, currency=currency),
    "capture": _capture,
    "refund": _refund,
    "cancel": _cancel,
    "enquire": _enquire,
}


def signed_news(contract: Contract, message: Any) -> tuple[dict[str, str], bytes]:
    """Headers and body of any notification, as the stand-in signs it."""
    body = json.dumps(message).encode()
    return control(contract, sign={"webhook_id": "WEBHOOK1", "hex": body.hex()})["sign"]["headers"], body

"""Acquirer A as the peer of `sandbox_card`, for the tests that walk over every connector."""

import json
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.connectors import sandbox_card
from app.connectors.kinds import Authorise, Cancel, Capture, Card, Contract, Enquire, Outcome, Refund, Register
from sandbox.acquirers.cards import CARD_BY_NAME, FUTURE_EXPIRY
from sandbox.acquirers.news import signature
from tests.sandbox.running import API_KEY, NEWS_SECRET, RunningAcquirer, running

NAME = "sandbox_card"

# Notifications that are in order.
_FACT = {"news": "n1", "status": "approved", "key": "op_1", "id": "A_cp_1", "authorisation": "A_au_1", "amount": 1250}
_FACT |= {"currency": "EUR", "occurred_at": 1_900_000_000}
NEWS: list[dict[str, Any]] = [
    {**_FACT, "kind": "capture", "released": 700},
    {**_FACT, "kind": "authorise", "status": "declined", "reason": "card_expired"},
    {**_FACT, "kind": "refund"},
    {**_FACT, "kind": "cancel"},
    {**_FACT, "kind": "dispute", "turn": "charged_back", "fee": 15, "respond_by": "2031-01-31", "dispute_reason": "x"},
]

Ask = Register | Authorise | Capture | Refund | Cancel | Enquire

# Which test card and which ending of an amount bring about an outcome.
_CARDS = {"approve": "amex", "decline": "card_expired", "garbled": "garbled", "unknown_word": "unknown_word"}
_ENDINGS = {"approve": 1250, "decline": 6601, "garbled": 6606, "unknown_word": 6610}

# Not the security code: four digits turn up by chance in ids.
SECRETS: tuple[str, ...] = (API_KEY, NEWS_SECRET, *(CARD_BY_NAME[name].number for name in _CARDS.values()))

_running: list[RunningAcquirer] = []


@contextmanager
def peer() -> Iterator[Contract]:
    """Starts the acquirer and yields an opened contract with it."""
    with tempfile.TemporaryDirectory() as folder, running("A", Path(folder)) as acquirer:
        _running.append(acquirer)
        try:
            yield acquirer.contract()
        finally:
            _running.remove(acquirer)


def ask(verb: str, outcome: str, contract: Contract, *, currency: str = "EUR", amount: int | None = None) -> Ask | None:
    """An ask of `verb` that ends in `outcome` (approve, decline, garbled, unknown_word), with what it
    needs already done. `amount` in minor units counts for "approve" only."""
    wanted = amount if amount is not None and outcome == "approve" else 10_000 + _ENDINGS[outcome]
    if verb == "register":
        return Register(new_key(), "card", currency, card=card(_CARDS[outcome]))
    if verb == "authorise":
        return _authorise(_CARDS[outcome], wanted, currency)
    if verb == "enquire":
        return _enquire(outcome, contract, wanted, currency)
    more = 3_000 if verb == "refund" else 0  # the ending is to steer the refund, not the capture before it
    authorised = sandbox_card.authorise(contract, _authorise("visa", wanted + more, currency))
    assert authorised.outcome is Outcome.APPROVED and authorised.provider_reference
    if verb == "capture":
        return Capture(new_key(), authorised.provider_reference, wanted, currency, final=False)
    if verb == "refund":
        sandbox_card.capture(contract, Capture(new_key(), authorised.provider_reference, wanted + more, currency, True))
        return Refund(new_key(), authorised.provider_reference, wanted, currency)
    assert verb == "cancel"
    return Cancel(new_key(), authorised.provider_reference, wanted, currency)


def garble_check(contract: Contract) -> None:
    """The next "does this connection work?" gets an answer that nobody understands."""
    _running[-1].control(next="garbled")


def wire_amounts(_: Contract) -> list[tuple[str, object]]:
    """Currency and amount of the last requests as they stood on the wire, oldest first."""
    shown = _running[-1].request("GET", "/control")[1]
    return [(request["currency"], request["amount"]) for request in shown["received"]]


def card(name: str, security_code: str | None = None) -> Card:
    """A published test card by its name."""
    published = CARD_BY_NAME[name]
    month, year = FUTURE_EXPIRY
    return Card(published.number, month, year, security_code or published.security_code, "Erika Mustermann")


def new_key() -> str:
    return f"op_{uuid.uuid4().hex}"


def _authorise(card_name: str, amount: int, currency: str) -> Authorise:
    return Authorise(
        new_key(),
        "card",
        amount,
        currency,
        merchant_reference="order-1",
        card=card(card_name),
        return_url="http://127.0.0.1:1/return",
    )


def _enquire(outcome: str, contract: Contract, amount: int, currency: str) -> Enquire:
    """About an authorisation that was approved or declined; what goes wrong is the answer to the enquiry."""
    authorise = _authorise("insufficient_funds" if outcome == "decline" else "visa", amount, currency)
    authorised = sandbox_card.authorise(contract, authorise)
    if outcome in ("garbled", "unknown_word"):
        _running[-1].control(next=outcome)
    return Enquire("authorise", authorise.operation_key, amount, currency, authorised.provider_reference)


def signed_news(contract: Contract, message: Any) -> tuple[dict[str, str], bytes]:
    """Headers and body of any notification, rightly signed."""
    body = json.dumps(message).encode()
    signed = signature(contract.settings["news_secret"], body, int(time.time()))
    return {"x-sandbox-signature": signed, "content-type": "application/json"}, body

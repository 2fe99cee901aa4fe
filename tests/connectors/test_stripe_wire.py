"""Stripe's wire format, against `localstripe`: a fake Stripe that nobody of this project wrote.

It knows neither idempotency keys nor searches, refuses a second capture, and books the released rest as a refund.
"""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from app.connectors import stripe
from app.connectors.kinds import Cancel, Capture, Contract, DeclineCode, Enquire, Outcome, Refund, Register
from tests.connectors.peers import stripe as peer
from tests.connectors.peers._serving import catcher

ASK = {"return_url": "", "description": ""}  # localstripe refuses both


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # who comes before it has started is kept waiting
        handle = listening.fileno()
        command = [sys.executable, "-m", "tests.connectors.run_localstripe", str(handle)]
        with subprocess.Popen(command, pass_fds=[handle]) as process:
            try:
                yield peer.contract(f"http://127.0.0.1:{listening.getsockname()[1]}")
            finally:
                process.terminate()


def get(contract: Contract, path: str) -> dict:
    headers = {"Authorization": f"Bearer {peer.SECRET_KEY}"}
    with urllib.request.urlopen(urllib.request.Request(contract.settings["url"] + path, headers=headers)) as answer:
        return json.load(answer)


def authorised(contract: Contract, amount: int = 5000) -> str:
    answer = stripe.authorise(contract, peer.authorisation(amount=amount, **ASK))
    assert answer.outcome is Outcome.APPROVED and answer.provider_reference
    return answer.provider_reference


def test_an_authorisation_is_held_until_it_is_captured(contract: Contract) -> None:
    reference = authorised(contract)
    intent = get(contract, f"/v1/payment_intents/{reference}")
    assert (intent["status"], intent["amount"], intent["currency"]) == ("requires_capture", 5000, "eur")
    answer = stripe.capture(contract, Capture(peer.key(), reference, 5000, "EUR", final=True))
    assert (answer.outcome, answer.amount, answer.released) == (Outcome.APPROVED, 5000, None)
    assert get(contract, f"/v1/payment_intents/{reference}")["status"] == "succeeded"


def test_the_released_rest_is_not_a_refund(contract: Contract) -> None:
    reference = authorised(contract)
    answer = stripe.capture(contract, Capture(peer.key(), reference, 3000, "EUR", final=True))
    assert (answer.amount, answer.released) == (3000, 2000)
    booked = get(contract, f"/v1/refunds?payment_intent={reference}")["data"]
    assert [one["amount"] for one in booked] == [2000], "localstripe shows the rest as a refund"
    about = Enquire("refund", peer.key(), 2000, "EUR", authorisation_reference=reference)
    assert stripe.enquire(contract, about).code is DeclineCode.NEVER_ARRIVED
    ask = Refund(peer.key(), reference, 1000, "EUR")
    refunded = stripe.refund(contract, ask)
    assert refunded.outcome is Outcome.APPROVED
    about = Enquire("refund", ask.operation_key, 1000, "EUR", authorisation_reference=reference)
    assert stripe.enquire(contract, about).provider_reference == refunded.provider_reference


def test_a_second_capture_is_refused(contract: Contract) -> None:
    reference = authorised(contract)
    stripe.capture(contract, Capture(peer.key(), reference, 3000, "EUR", final=True))
    answer = stripe.capture(contract, Capture(peer.key(), reference, 2000, "EUR", final=True))
    assert answer.outcome is Outcome.DECLINED


def test_cancelling_releases(contract: Contract) -> None:
    reference = authorised(contract)
    assert stripe.cancel(contract, Cancel(peer.key(), reference, 5000, "EUR")).outcome is Outcome.APPROVED
    assert get(contract, f"/v1/payment_intents/{reference}")["status"] == "canceled"
    about = Enquire("cancel", peer.key(), 5000, "EUR", authorisation_reference=reference)
    assert stripe.enquire(contract, about).outcome is Outcome.APPROVED


def test_a_declined_card_is_declined(contract: Contract) -> None:
    answer = stripe.authorise(contract, peer.authorisation("4000000000000341", **ASK))
    assert (answer.outcome, answer.provider_code) == (Outcome.DECLINED, "card_declined")
    about = Enquire("authorise", peer.key(), 1999, "EUR", provider_reference=answer.provider_reference)
    assert stripe.enquire(contract, about).outcome is Outcome.DECLINED


def test_a_card_is_registered(contract: Contract) -> None:
    answer = stripe.register(contract, Register(peer.key(), "card", "EUR", card=peer.card()))
    assert (answer.outcome, answer.last4) == (Outcome.APPROVED, "4242")
    customer, _, method = (answer.token or "").partition(":")
    assert customer.startswith("cus_") and method.startswith("pm_")


def test_a_webhook_signed_by_localstripe_is_read(contract: Contract) -> None:
    with catcher() as caught:
        settings = json.dumps({"url": caught.url, "secret": peer.WEBHOOK_SECRET}).encode()
        request = urllib.request.Request(
            contract.settings["url"] + "/_config/webhooks/zahlwerk", settings, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()
        ask = peer.authorisation(amount=5000, **ASK)
        reference = stripe.authorise(contract, ask).provider_reference
        assert reference
        capture = Capture(peer.key(), reference, 5000, "EUR", final=True)
        captured = stripe.capture(contract, capture)
        told: dict = {}
        while "authorise" not in told or told["authorise"].operation_key != ask.operation_key:
            told = {news.kind: news for news in stripe.read_news(contract, *caught.next())}
    assert told["capture"].provider_reference == captured.provider_reference
    assert told["capture"].operation_key == capture.operation_key

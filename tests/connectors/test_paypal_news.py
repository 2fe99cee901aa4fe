"""PayPal's webhooks: signatures checked with its certificate, and one fact per event in our words."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.connectors import paypal
from app.connectors._paypal_signature import _is_ours
from app.connectors.kinds import Capture, Contract, DeclineCode, News, NewsRefused, Outcome, Refund
from app.core.http import NotSent
from tests.connectors.peers.paypal import (
    approved_ask,
    authorise_ask,
    authorised,
    captured,
    contract_with,
    control,
    new_key,
    payer_chooses,
    peer,
)


class Mailbox:
    """Collects what the stand-in posts."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        mailbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mailbox.received.put((dict(self.headers), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, event_type: str) -> tuple[dict[str, str], bytes]:
        """The next event of this type; others before it are thrown away."""
        while True:
            headers, body = self.received.get(timeout=10)
            if json.loads(body)["event_type"] == event_type:
                return headers, body


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Contract, Mailbox]]:
    mailbox = Mailbox()
    with peer() as contract:
        url = f"http://127.0.0.1:{mailbox.server.server_port}/news"
        control(contract, webhook={"client_id": "shop-1", "url": url, "webhook_id": "WEBHOOK1"})
        yield contract, mailbox
    mailbox.server.shutdown()
    mailbox.server.server_close()


def news(world: tuple[Contract, Mailbox], event_type: str) -> list[News]:
    contract, mailbox = world
    return paypal.read_news(contract, *mailbox.next(event_type))


def test_an_approved_order_is_told_even_if_the_payer_never_comes_back(world: Any) -> None:
    ask = authorise_ask()
    answer = paypal.authorise(world[0], ask)
    payer_chooses(str(answer.action and answer.action.url))
    [fact] = news(world, "CHECKOUT.ORDER.APPROVED")
    assert (fact.kind, fact.outcome, fact.operation_key) == ("authorise", Outcome.PENDING, ask.operation_key)
    assert (fact.provider_reference, fact.amount, fact.currency) == (answer.provider_reference, 1990, "EUR")


def test_an_authorisation_carries_the_key_of_its_operation(world: Any) -> None:
    ask = approved_ask(world[0])
    reference = paypal.authorise(world[0], ask).provider_reference
    [fact] = news(world, "PAYMENT.AUTHORIZATION.CREATED")
    assert (fact.kind, fact.outcome) == ("authorise", Outcome.APPROVED)
    assert (fact.operation_key, fact.provider_reference) == (ask.operation_key, reference)
    assert fact.occurred_at and fact.occurred_at.tzinfo


def test_a_capture_names_its_operation_and_its_authorisation(world: Any) -> None:
    ask = Capture(new_key(), authorised(world[0]), 400, "EUR", final=False, merchant_reference="R|1")
    reference = paypal.capture(world[0], ask).provider_reference
    [fact] = news(world, "PAYMENT.CAPTURE.COMPLETED")
    assert (fact.kind, fact.outcome, fact.amount) == ("capture", Outcome.APPROVED, 400)
    assert (fact.operation_key, fact.provider_reference) == (ask.operation_key, reference)
    assert fact.authorisation_reference == ask.provider_reference


def test_a_void_says_which_authorisation_and_no_amount(world: Any) -> None:
    reference = authorised(world[0])
    control(world[0], expire={"authorization": reference})
    [fact] = news(world, "PAYMENT.AUTHORIZATION.VOIDED")
    assert (fact.kind, fact.outcome, fact.amount) == ("cancel", Outcome.APPROVED, None)
    assert fact.authorisation_reference == reference


def test_our_refund_is_found_by_its_key(world: Any) -> None:
    reference, capture = captured(world[0])
    ask = Refund(new_key(), reference, 400, "EUR", capture_reference=capture)
    paypal.refund(world[0], ask)
    [fact] = news(world, "PAYMENT.CAPTURE.REFUNDED")
    assert (fact.kind, fact.operation_key, fact.amount) == ("refund", ask.operation_key, 400)


def test_a_refund_made_in_paypals_portal_leads_to_the_authorisation_and_not_to_a_capture(world: Any) -> None:
    reference, capture = captured(world[0])
    control(world[0], portal_refund={"capture": capture, "value": "1.00"})
    [fact] = news(world, "PAYMENT.CAPTURE.REFUNDED")
    assert (fact.kind, fact.operation_key, fact.amount) == ("refund", None, 100)
    assert fact.authorisation_reference == reference


def test_a_reversal_out_of_the_blue_is_a_chargeback(world: Any) -> None:
    reference, capture = captured(world[0])
    control(world[0], reverse={"capture": capture})
    [fact] = news(world, "PAYMENT.CAPTURE.REVERSED")
    assert (fact.kind, fact.amount, fact.authorisation_reference) == ("dispute", 1990, reference)
    assert fact.dispute and fact.dispute.turn == "charged_back"


def test_a_dispute_goes_from_inquiry_to_claim_to_its_end(world: Any) -> None:
    reference, capture = captured(world[0])
    control(world[0], dispute={"capture": capture, "value": "5.00", "reason": "UNAUTHORISED"})
    [fact] = news(world, "CUSTOMER.DISPUTE.CREATED")
    assert fact.dispute and (fact.dispute.turn, fact.dispute.reason) == ("inquiry", "unauthorised")
    assert (fact.amount, fact.authorisation_reference) == (500, reference)
    assert fact.dispute.respond_by
    number = fact.dispute.provider_reference

    control(world[0], dispute_moves={"dispute": number, "stage": "CHARGEBACK"})
    [fact] = news(world, "CUSTOMER.DISPUTE.UPDATED")
    assert fact.dispute and (fact.dispute.turn, fact.dispute.provider_reference) == ("charged_back", number)

    control(world[0], dispute_moves={"dispute": number, "outcome": "RESOLVED_SELLER_FAVOUR"})
    [fact] = news(world, "CUSTOMER.DISPUTE.RESOLVED")
    assert fact.dispute and fact.dispute.turn == "reversed"


def test_the_reversal_that_settles_a_claim_is_the_loss_of_that_claim_and_not_a_second_chargeback(world: Any) -> None:
    _, capture = captured(world[0])
    control(world[0], dispute={"capture": capture, "stage": "CHARGEBACK"})
    [opened] = news(world, "CUSTOMER.DISPUTE.CREATED")
    assert opened.dispute and opened.dispute.turn == "charged_back"
    number = opened.dispute.provider_reference
    control(world[0], dispute_moves={"dispute": number, "outcome": "RESOLVED_BUYER_FAVOUR"})
    [resolved], [settled] = news(world, "CUSTOMER.DISPUTE.RESOLVED"), news(world, "PAYMENT.CAPTURE.REVERSED")
    for fact in (resolved, settled):
        assert fact.dispute and (fact.dispute.turn, fact.dispute.provider_reference) == ("lost", number)


def test_an_outcome_nobody_knows_is_unknown(world: Any) -> None:
    _, capture = captured(world[0])
    control(world[0], dispute={"capture": capture})
    [opened] = news(world, "CUSTOMER.DISPUTE.CREATED")
    assert opened.dispute
    control(world[0], dispute_moves={"dispute": opened.dispute.provider_reference, "outcome": "COIN_TOSS"})
    [fact] = news(world, "CUSTOMER.DISPUTE.RESOLVED")
    assert (fact.outcome, fact.provider_code) == (Outcome.UNKNOWN, "COIN_TOSS")


@pytest.mark.parametrize(
    ("word", "outcome", "code"),
    [
        ("PENDING", Outcome.PENDING, None),
        ("DENIED", Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED),
        ("DECLINED", Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED),
    ],
)
def test_a_capture_that_waits_or_fails(world: Any, word: str, outcome: Outcome, code: Any) -> None:
    resource = {
        "id": "2GG279541U471931P",
        "amount": {"currency_code": "EUR", "value": "4.00"},
        "invoice_id": "R-1|c-op_7",
        "supplementary_data": {"related_ids": {"authorization_id": "0VF52814937998046"}},
    }
    [fact] = paypal.read_news(world[0], *signed(world, f"PAYMENT.CAPTURE.{word}", resource))
    assert (fact.kind, fact.outcome, fact.code, fact.operation_key) == ("capture", outcome, code, "op_7")


def test_events_that_are_no_money_are_taken_and_say_nothing(world: Any) -> None:
    for name in ("VAULT.PAYMENT-TOKEN.CREATED", "CATALOG.PRODUCT.CREATED"):
        assert paypal.read_news(world[0], *signed(world, name, {"id": "8kk8451t"})) == []


class TestSignature:
    def test_one_changed_byte_is_refused(self, world: Any) -> None:
        headers, body = signed(world, "PAYMENT.CAPTURE.COMPLETED", {"id": "A"})
        with pytest.raises(NewsRefused):
            paypal.read_news(world[0], headers, body.replace(b'"A"', b'"B"'))

    def test_an_event_for_another_webhook_is_refused(self, world: Any) -> None:
        headers, body = signed(world, "PAYMENT.CAPTURE.COMPLETED", {"id": "A"})
        other = contract_with(world[0].settings["url"], webhook_id="WEBHOOK2")
        with pytest.raises(NewsRefused):
            paypal.read_news(other, headers, body)

    @pytest.mark.parametrize("missing", ["Sig", "Id", "Time"])
    def test_a_missing_header_is_refused(self, world: Any, missing: str) -> None:
        headers, body = signed(world, "PAYMENT.CAPTURE.COMPLETED", {"id": "A"})
        kept = {name: value for name, value in headers.items() if not name.endswith(f"Transmission-{missing}")}
        with pytest.raises(NewsRefused):
            paypal.read_news(world[0], kept, body)

    @pytest.mark.parametrize(
        "url",
        [
            "http://evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "{url}/checkoutnow?x=/v1/notifications/certs/CERT-1",
            "{url}/v1/notifications/certs/../../../upload",
            "{url}/v1/notifications/certs/CERT-unknown",
            "",
        ],
    )
    def test_a_certificate_from_elsewhere_is_refused(self, world: Any, url: str) -> None:
        headers, body = signed(world, "PAYMENT.CAPTURE.COMPLETED", {"id": "A"})
        forged = headers | {"PayPal-Cert-Url": url.format(url=world[0].settings["url"])}
        with pytest.raises(NewsRefused):
            paypal.read_news(world[0], forged, body)

    def test_a_paypal_contract_accepts_only_paypals_own_host(self) -> None:
        live = contract_with("https://api-m.paypal.com")
        assert _is_ours(live, "https://api.paypal.com/v1/notifications/certs/CERT-360caa42")
        assert not _is_ours(live, "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42")
        assert not _is_ours(live, "http://api.paypal.com/v1/notifications/certs/CERT-360caa42")

    def test_without_its_certificate_nothing_is_known(self, world: Any) -> None:
        headers, body = signed(world, "PAYMENT.CAPTURE.COMPLETED", {"id": "A"})
        gone = contract_with("http://127.0.0.1:1/paypal")
        forged = headers | {"PayPal-Cert-Url": "http://127.0.0.1:1/paypal/v1/notifications/certs/CERT-1"}
        with pytest.raises(NotSent):
            paypal.read_news(gone, forged, body)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": "WH-1", "event_type": "X", "resource": []}', b"\xff"])
    def test_signed_nonsense_is_refused(self, world: Any, body: bytes) -> None:
        headers = control(world[0], sign={"webhook_id": "WEBHOOK1", "hex": body.hex()})["sign"]["headers"]
        with pytest.raises(NewsRefused):
            paypal.read_news(world[0], headers, body)


def signed(world: tuple[Contract, Mailbox], event_type: str, resource: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Any event as the stand-in would sign it."""
    answer = control(world[0], sign={"webhook_id": "WEBHOOK1", "event_type": event_type, "resource": resource})["sign"]
    return answer["headers"], answer["body"].encode()

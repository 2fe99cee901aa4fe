"""The PayPal stand-in: it remembers, it repeats itself under one request id, it shows its pages."""

import json
import urllib.request
from pathlib import Path

import pytest
from flask import Flask

from app.connectors import paypal
from app.connectors.kinds import Capture, Outcome
from sandbox.paypal import attach
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
    serving,
    things,
)
from tests.connectors.test_paypal_news import Mailbox


def test_after_a_restart_it_knows_what_it_authorised_and_what_it_was_asked(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        contract = contract_with(url)
        reference = authorised(contract, 1990)
        ask = Capture(new_key(), reference, 500, "EUR", final=False)
        first = paypal.capture(contract, ask)
    with serving(tmp_path) as url:
        again = contract_with(url)
        assert paypal.capture(again, ask).provider_reference == first.provider_reference
        rest = paypal.capture(again, Capture(new_key(), reference, 1490, "EUR", final=True))
        assert rest.outcome is Outcome.APPROVED


def test_its_journal_says_what_it_really_charged(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        captured(contract_with(url), 1234)
    lines = [json.loads(line) for line in (tmp_path / "paypal.jsonl").read_text().splitlines()]
    [capture] = [line["thing"] for line in lines if line["kind"] == "captures"]
    assert capture["amount"] == {"currency_code": "EUR", "value": "12.34"}


def test_a_webhook_nobody_took_is_sent_after_the_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        contract = contract_with(url)
        control(contract, webhook={"client_id": "shop-1", "url": "http://127.0.0.1:1/", "webhook_id": "WEBHOOK1"})
        authorised(contract)
    mailbox = Mailbox()
    journal = tmp_path / "paypal.jsonl"
    journal.write_text(
        journal.read_text().replace("http://127.0.0.1:1/", f"http://127.0.0.1:{mailbox.server.server_port}/")
    )
    with serving(tmp_path) as url:
        headers, body = mailbox.next("PAYMENT.AUTHORIZATION.CREATED")
        assert json.loads(body)["resource"]["status"] == "CREATED"
        assert headers["PayPal-Auth-Algo"] == "SHA256withRSA"
    mailbox.server.shutdown()
    mailbox.server.server_close()


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_approval_page_shows_amount_and_payers_and_refuses_frames(language: str) -> None:
    with peer() as contract:
        answer = paypal.authorise(contract, authorise_ask(4990, description="Café Morgenrot"))
        assert answer.action
        with urllib.request.urlopen(answer.action.url + f"&lang={language}", timeout=5) as page:
            html = page.read().decode()
            assert page.headers["X-Frame-Options"] == "DENY"
    assert ("49,90 EUR" if language == "de" else "49.90 EUR") in html
    assert "Café Morgenrot" in html and "R-1001" in html and "op_" not in html
    assert ("Jetzt bezahlen" if language == "de" else "Pay now") in html


def test_an_order_is_approved_once(tmp_path: Path) -> None:
    with peer() as contract:
        ask = approved_ask(contract)
        paypal.authorise(contract, ask)
        order = things(contract, "orders")[0]
        payer_chooses(f"{contract.settings['url']}/checkoutnow?token={order['id']}")
        assert things(contract, "orders")[0]["status"] == "COMPLETED"


def test_the_overview_lists_what_happened_and_its_buttons_work(tmp_path: Path) -> None:
    app = Flask("paypal")
    attach(app, tmp_path)
    client = app.test_client()
    assert "Noch kein Einzug" in client.get("/paypal/").get_data(as_text=True)
    with serving(tmp_path / "other") as url:
        contract = contract_with(url)
        _, capture = captured(contract, 1990)
        form = f"capture={capture}".encode()
        with urllib.request.urlopen(f"{url}/_do/dispute", form, timeout=5) as page:
            html = page.read().decode()
    assert "19,90 EUR" in html and "PP-D-" in html


def test_control_orders_it_does_not_know_are_refused() -> None:
    with peer() as contract:
        for order in ({"explode": True}, {}, {"reverse": {"capture": "NOPE"}}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                control(contract, **order)
            assert refused.value.code == 400

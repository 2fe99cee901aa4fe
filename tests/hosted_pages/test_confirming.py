"""3-D Secure and other ways out to confirm: there, back, away in between, twice."""

import json
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import select

from app.core.db import ALL, reading
from app.payments.attempt import Means, return_url
from app.payments.authorise import authorise
from app.payments.queries import AUTHORISATIONS, OPERATIONS
from sandbox.acquirers.cards import CARD_BY_NAME
from tests import factories
from tests.books import told
from tests.hosted_pages.conftest import link, operation_of
from tests.hosted_pages.payer import CARD, card

CHALLENGE = card(CARD_BY_NAME["challenge"].number)


def test_the_payer_is_sent_to_the_bank_and_comes_back_paid(payer, new_checkout, acquirers):
    opened = new_checkout()
    shown = payer.fill_in(payer.open(link(opened)), CHALLENGE)
    assert shown.heading == "Ihre Bank bittet um eine Bestätigung"
    bank = shown.document.one("a", class_="button").attributes["href"]
    assert shown.document.one("meta", http_equiv="refresh").attributes["content"] == f"0;url={bank}"
    back = answer_at(bank, "approve")
    assert payer.open(back).heading == "Vielen Dank für Ihre Zahlung"
    assert payer.open(back).heading == "Vielen Dank für Ihre Zahlung"  # a reload of the way back
    assert len(acquirers["A"].did(done="authorised", reference=opened.payment["merchant_reference"])) == 1


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("decline", "Die Bestätigung bei Ihrer Bank hat nicht geklappt."),
        ("cancel", "Sie haben die Zahlung nicht bestätigt."),
    ],
)
def test_a_no_at_the_bank_leads_back_to_the_form(payer, new_checkout, decision, words):
    shown = payer.fill_in(payer.open(link(new_checkout())), CHALLENGE)
    shown = payer.open(answer_at(shown.document.one("a", class_="button").attributes["href"], decision))
    assert words in shown.notice
    assert "nichts abgebucht" in shown.notice
    assert payer.fill_in(shown, CARD).heading == "Vielen Dank für Ihre Zahlung"


def test_the_bank_may_send_the_payer_back_by_post(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout())), CHALLENGE)
    back = urlsplit(answer_at(shown.document.one("a", class_="button").attributes["href"], "approve"))
    name, _, value = back.query.partition("=")
    assert payer.send(back.path, {name: value}).heading == "Vielen Dank für Ihre Zahlung"


def test_a_step_back_from_the_bank_offers_to_go_on_or_to_pay_in_another_way(payer, new_checkout, acquirers):
    opened = new_checkout()
    payer.fill_in(payer.open(link(opened)), CHALLENGE)
    shown = payer.open(link(opened))
    assert shown.heading == "Ihre Bestätigung fehlt noch"
    go_on, otherwise = (anchor.attributes["href"] for anchor in shown.document.all("a")[:2])
    assert payer.open(go_on).heading == "Ihre Bank bittet um eine Bestätigung"
    assert payer.fill_in(payer.open(otherwise), CARD).heading == "Vielen Dank für Ihre Zahlung"
    assert len(acquirers["A"].did(done="authorised", reference=opened.payment["merchant_reference"])) == 1


def test_a_second_press_of_the_button_does_not_throw_the_confirmation_away(app, payer, new_checkout):
    opened = new_checkout()
    form = payer.open(link(opened))
    payer.fill_in(form, CHALLENGE)
    assert payer.fill_in(form, CHALLENGE).heading == "Ihre Bank bittet um eine Bestätigung"
    with app.app_context():
        assert told(opened.payment["id"]).count("authorisation.submitted") == 1


def test_in_a_frame_the_banks_page_stays_in_the_frame_if_it_may_be_framed(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout(), query="?embed=1")), CHALLENGE)
    assert shown.query == "embed=1"
    assert shown.document.all("meta", http_equiv="refresh")
    assert "target" not in shown.document.one("a", class_="button").attributes


def test_in_a_frame_a_page_that_must_not_be_framed_takes_the_whole_window_by_a_link(payer, new_checkout, changed):
    opened = new_checkout()
    payer.fill_in(payer.open(link(opened, query="?embed=1")), CHALLENGE)
    action = {"url": "https://paypal.example/x", "kind": "redirect", "method": "GET", "fields": {}, "framable": False}
    changed(OPERATIONS, operation_of(opened), action=action)
    changed(AUTHORISATIONS, AUTHORISATIONS.c.payment_id == opened.payment["id"], method="paypal")
    framed = payer.open(link(opened, "/wait", "?embed=1"))
    assert framed.heading == "Bei PayPal bestätigen"
    assert not framed.document.all("meta", http_equiv="refresh")
    assert framed.document.one("a", class_="button").attributes["target"] == "_top"
    alone = payer.open(link(opened, "/wait"))
    assert alone.document.one("meta", http_equiv="refresh").attributes["content"] == "0;url=https://paypal.example/x"


def test_an_action_by_post_is_a_form_to_that_address_and_the_policy_lets_it_go_there(payer, new_checkout, changed):
    opened = new_checkout()
    payer.fill_in(payer.open(link(opened)), CHALLENGE)
    action = {"url": "https://acs.example/3ds", "kind": "challenge", "method": "POST", "framable": True}
    changed(OPERATIONS, operation_of(opened), action={**action, "fields": {"creq": 'a"<b'}})
    shown = payer.open(link(opened, "/wait"))
    form = shown.document.one("form")
    assert (form.attributes["action"], form.attributes["method"]) == ("https://acs.example/3ds", "post")
    assert shown.hidden() == {"creq": 'a"<b'}
    assert "form-action 'self' https://acs.example;" in shown.headers["Content-Security-Policy"]


def test_an_address_that_is_no_web_address_is_never_linked(payer, new_checkout, changed):
    opened = new_checkout()
    payer.fill_in(payer.open(link(opened)), CHALLENGE)
    changed(OPERATIONS, operation_of(opened), action={"url": "javascript:alert(1)", "method": "GET", "framable": True})
    assert "javascript:" not in payer.open(link(opened, "/wait")).html


def test_who_comes_back_in_a_frame_stays_in_it_and_who_comes_back_alone_does_not(client, app, new_checkout):
    opened = new_checkout()
    with app.app_context():
        _pay_with_challenge(opened)
        back = urlsplit(return_url(_operation(opened)["id"])).path
    framed = client.get(back, headers={"Sec-Fetch-Dest": "iframe"}).headers["Location"]
    alone = client.get(back, headers={"Sec-Fetch-Dest": "document"}).headers["Location"]
    unsaid = client.get(back).headers["Location"]
    assert (framed.endswith("?embed=1"), "embed" in alone, unsaid.endswith("?embed=1")) == (True, False, True)


def test_a_wrong_way_back_resumes_nothing(client, app, new_checkout):
    opened = new_checkout()
    with app.app_context():
        _pay_with_challenge(opened)
        back = urlsplit(return_url(_operation(opened)["id"])).path
    for wrong in (back[:-1] + ("0" if back[-1] != "0" else "1"), back.partition(".")[0], back + "%00"):
        assert client.get(wrong).status_code == 404
    with app.app_context():
        assert _operation(opened)["state"] == "action"


def test_a_payment_made_through_the_api_goes_back_to_its_own_address(client, app, tenant):
    with app.app_context():
        done = authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            means=Means("card", card=factories.card("challenge")),
            order=factories.an_order(merchant_reference="R 1", return_url="https://shop.example/back?x=1"),
            actor="test",
        )
    back = urlsplit(answer_at(done.operation["action"]["url"], "approve"))
    answer = client.get(f"{back.path}?{back.query}")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("https://shop.example/back?x=1&payment=pay_")
    assert answer.headers["Location"].endswith("&status=authorised&merchant_reference=R+1")


def test_without_an_address_of_its_own_it_says_that_all_is_done(client, app, tenant):
    with app.app_context():
        done = authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            means=Means("card", card=factories.card("challenge")),
            order=factories.an_order(return_url="javascript:alert(1)"),
            actor="test",
        )
    back = urlsplit(answer_at(done.operation["action"]["url"], "approve"))
    answer = client.get(f"{back.path}?{back.query}")
    assert answer.status_code == 200
    assert "Sie können dieses Fenster jetzt schließen" in answer.text
    assert "javascript" not in answer.text


def test_scripts_are_told_where_to_go(client, app, new_checkout):
    opened = new_checkout()
    with app.app_context():
        _pay_with_challenge(opened)
    answer = client.get(link(opened, "/wait", "?embed=1"), headers={"Accept": "application/json"})
    assert answer.mimetype == "application/json"
    assert json.loads(answer.text) == {"standing": "action", "next": link(opened, "/wait", "?embed=1")}


def answer_at(bank: str, decision: str) -> str:
    """Presses a button on the bank's page. Returns where it sends the browser, without host."""
    page = urlsplit(bank)
    connection = HTTPConnection(page.netloc, timeout=5)
    address = page.path + (f"?{page.query}" if page.query else "")
    connection.request(
        "POST", address, urlencode({"decision": decision}), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    location = urlsplit(connection.getresponse().headers["Location"])
    return f"{location.path}?{location.query}"


def _pay_with_challenge(opened):
    from app.payments import checkout

    checkout.pay(opened, Means("card", card=factories.card("challenge")))


def _operation(opened):
    with reading(ALL) as connection:
        return connection.execute(select(OPERATIONS).where(operation_of(opened))).mappings().one()

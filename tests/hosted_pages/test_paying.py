"""Paying without scripts: every way through the form ends on a page that says how things stand, and pays once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Refusal
from app.core.idempotency import Repeated
from app.merchants.models import ProviderContract
from app.payments.attempt import Means
from app.payments.capture import capture
from app.payments.checkout import CHECKOUTS, pay
from hosted_pages.forms import GOOD_FOR_SECONDS, Purpose
from hosted_pages.pages.checkout import MOST_ATTEMPTS
from sandbox.acquirers.cards import CARD_BY_NAME
from tests import factories
from tests.books import told
from tests.hosted_pages.conftest import charges, link, open_one
from tests.hosted_pages.payer import CARD, Payer, card, stands_in


def test_a_card_pays_and_a_reload_shows_the_same_page(payer, new_checkout, again, acquirers):
    opened = new_checkout(4_990, order_number="B-1042", return_url="https://shop.example/thanks?order=1042")
    shown = payer.fill_in(payer.open(link(opened)), CARD)
    assert shown.heading == "Vielen Dank für Ihre Zahlung"
    assert shown.path.endswith("/result")
    for words in ("49,90 €", "Visa •••• 4242", "B-1042", opened.shop["name"], "reserviert"):
        assert words in shown.text.replace("\xa0", " ")
    assert again(opened).checkout["state"] == "completed"
    for step in ("", "/wait", "/result", "/cancel"):
        assert payer.open(link(opened, step)).heading == "Vielen Dank für Ihre Zahlung"
    assert charges(acquirers, opened) == 1


def test_the_way_back_to_the_shop_says_what_happened(payer, new_checkout):
    opened = new_checkout(return_url="https://shop.example/thanks?order=1042&status=old")
    shown = payer.fill_in(payer.open(link(opened)), CARD)
    back = shown.document.one("a", class_="button").attributes["href"]
    assert back.startswith("https://shop.example/thanks?order=1042&checkout=chk_")
    assert back.endswith("&status=paid")
    assert "status=old" not in back


def test_an_automatic_capture_is_not_called_reserved(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout(capture_mode="automatic"))), CARD)
    assert shown.heading == "Vielen Dank für Ihre Zahlung"
    assert "reserviert" not in shown.text


def test_a_decline_says_why_and_that_nothing_was_charged_and_another_card_may_pay(payer, new_checkout):
    opened = new_checkout()
    shown = payer.fill_in(payer.open(link(opened)), _card("insufficient_funds"))
    assert shown.status == 200
    assert shown.title.startswith("Nicht bezahlt: ")
    assert "Für diese Zahlung ist im Moment nicht genug Geld verfügbar. Es wurde nichts abgebucht." in shown.notice
    assert payer.fill_in(shown, CARD).heading == "Vielen Dank für Ihre Zahlung"


def test_a_wrong_security_code_is_told_at_its_field(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout())), _card("invalid_security_code"))
    assert shown.title.startswith("Fehler: ")
    assert shown.error("code") == "Die Prüfnummer stimmt nicht. Bitte prüfen Sie sie."
    assert "autofocus" in shown.document.one("input", name="code").attributes


def test_the_same_form_sent_twice_pays_once(payer, new_checkout, acquirers):
    opened = new_checkout()
    form = payer.open(link(opened))
    assert payer.fill_in(form, CARD).heading == "Vielen Dank für Ihre Zahlung"
    assert payer.fill_in(form, card("5555 5555 5555 4444")).heading == "Vielen Dank für Ihre Zahlung"
    assert charges(acquirers, opened) == 1


def test_an_old_form_sent_after_a_decline_tries_nothing_and_says_so(payer, new_checkout, acquirers):
    opened = new_checkout()
    form = payer.open(link(opened))
    payer.fill_in(form, _card("insufficient_funds"))
    shown = payer.fill_in(form, CARD)
    assert "Es wurde nichts ein zweites Mal gesendet" in shown.notice
    assert charges(acquirers, opened) == 0
    assert told(opened.payment["id"]).count("authorisation.submitted") == 1


def test_eight_presses_at_once_pay_once_and_all_end_somewhere_sensible(app, payer, new_checkout, acquirers):
    opened = new_checkout()
    form = payer.open(link(opened))
    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(lambda _: Payer(app.test_client()).fill_in(form, _card("slow")), range(8)))
    assert {end.heading for end in ends} <= {"Vielen Dank für Ihre Zahlung", "Ihre Bank prüft die Zahlung"}
    assert charges(acquirers, opened) == 1


def test_eight_presses_of_a_declined_card_ask_the_bank_once(app, payer, new_checkout, acquirers):
    """However fast the first answer comes, none of the others counts as a new attempt."""
    opened = new_checkout()
    form = payer.open(link(opened))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Payer(app.test_client()).fill_in(form, _card("refused")), range(8)))
    with app.app_context():
        assert told(opened.payment["id"]).count("authorisation.submitted") == 1


def test_the_same_attempt_is_made_once_even_if_nothing_else_stood_in_its_way(app, new_checkout):
    """The last line of defence, below the page: the number of the attempt is taken with the attempt itself."""
    opened = new_checkout()
    declined = Means("card", card=factories.card("refused"))

    def press(_: int) -> str:
        with app.app_context():
            try:
                return pay(opened, declined, attempt=1).operation["state"]
            except (Refusal, Repeated) as refusal:
                return type(refusal).__name__

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, range(8)))
    with app.app_context():
        assert press(0) == "Repeated"
        assert told(opened.payment["id"]).count("authorisation.submitted") == 1
        assert pay(opened, declined, attempt=2).operation["state"] == "declined"
    assert answers.count("declined") == 1
    assert set(answers) <= {"declined", "Repeated", "AttemptUnderWay"}


def test_two_tabs_pay_once(app, new_checkout, acquirers):
    opened = new_checkout()
    one, other = Payer(app.test_client()), Payer(app.test_client())
    first, second = one.open(link(opened)), other.open(link(opened))
    assert one.fill_in(first, CARD).heading == "Vielen Dank für Ihre Zahlung"
    assert other.fill_in(second, card("5555555555554444")).heading == "Vielen Dank für Ihre Zahlung"
    assert charges(acquirers, opened) == 1


def test_two_checkouts_of_one_debt_are_paid_once_and_the_other_says_so(payer, new_checkout, app, acquirers):
    first = new_checkout()
    second = new_checkout(receivable_id=first.payment["receivable_id"])
    payer.fill_in(payer.open(link(first)), CARD)
    waiting = payer.fill_in(payer.open(link(second)), CARD)
    assert "auf einem anderen Weg bezahlt" in waiting.text
    with app.app_context():
        capture(
            merchant_id=first.checkout["merchant_id"],
            live=False,
            payment_id=first.payment["id"],
            actor="test",
            final=True,
        )
    assert "schon bezahlt" in payer.fill_in(payer.open(link(second)), CARD).text
    assert charges(acquirers, first) == 1


def test_a_form_left_open_for_too_long_is_shown_again_with_what_was_typed(payer, new_checkout, acquirers):
    opened = new_checkout()
    form = payer.open(link(opened))
    with time_machine.travel(now() + timedelta(seconds=GOOD_FOR_SECONDS + 5)):
        shown = payer.fill_in(form, CARD)
        assert shown.status == 422
        assert "gilt dieses Formular nur zwei Stunden" in shown.notice
        assert shown.document.one("input", name="holder").attributes["value"] == "Erika Mustermann"
        assert not stands_in("4242", shown.html) and "42424242" not in shown.html
        assert charges(acquirers, opened) == 0
        assert payer.fill_in(shown, CARD).heading == "Vielen Dank für Ihre Zahlung"


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: {**fields, "seal": ""},
        lambda fields: {**fields, "seal": fields["seal"].replace("1.", "2.", 1)},
        lambda fields: {**fields, "seal": fields["seal"][:-1] + ("0" if fields["seal"][-1] != "0" else "1")},
        lambda fields: {**fields, "seal": "ü.ü.ü"},
        lambda fields: {**fields, "seal": "9" * 40 + ".1.x"},
        lambda fields: {name: value for name, value in fields.items() if name != "seal"},
    ],
)
def test_a_form_that_was_tampered_with_is_not_taken(payer, new_checkout, again, change):
    opened = new_checkout()
    form = payer.open(link(opened))
    shown = payer.send(link(opened), change({**form.hidden(), **CARD}))
    assert shown.status == 422
    assert "nicht vollständig angekommen" in shown.notice
    assert again(opened).payment["status"] == "created"


def test_a_form_of_another_checkout_is_not_taken(payer, new_checkout, again):
    other, mine = new_checkout(), new_checkout()
    seal = payer.open(link(other)).hidden()["seal"]
    assert payer.send(link(mine), {"method": "card", "seal": seal, **CARD}).status == 422
    assert again(mine).payment["status"] == "created"


def test_an_expired_checkout_takes_no_money(payer, new_checkout, changed, acquirers):
    opened = new_checkout(return_url="https://shop.example/")
    form = payer.open(link(opened))
    changed(CHECKOUTS, CHECKOUTS.c.id == opened.checkout["id"], expires_at=now())
    for shown in (payer.open(link(opened)), payer.fill_in(form, CARD), payer.open(link(opened, "/wait"))):
        assert shown.heading == "Die Zeit für diese Zahlung ist abgelaufen"
        assert "nichts abgebucht" in shown.text
    assert charges(acquirers, opened) == 0


def test_a_bank_that_cannot_be_reached_is_told_as_such(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout())), _card("busy"))
    assert "Ihre Bank war nicht erreichbar." in shown.notice
    assert "nichts abgebucht" in shown.notice


def test_a_shop_without_any_contract_says_so(app, acquirers, payer, changed):
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
    contracts = table_of(ProviderContract)
    opened = open_one(app, tenant)
    form = payer.open(link(opened))
    changed(contracts, contracts.c.id == tenant.contract_id, active=False)
    for shown in (payer.open(link(opened)), payer.fill_in(form, CARD)):
        assert "gibt es im Moment keine Zahlungsart" in shown.text
        assert not shown.document.all("form")


def test_after_many_failed_attempts_no_more_are_taken(payer, new_checkout, acquirers):
    opened = new_checkout()
    for _ in range(MOST_ATTEMPTS):
        last = payer.fill_in(payer.open(link(opened)), _card("refused"))
    assert "Zu viele Versuche sind fehlgeschlagen" in last.notice
    assert not last.document.all("form")
    seal = Purpose(last.path.rpartition("/")[2], "card", MOST_ATTEMPTS + 1)
    ends = int(now().timestamp()) + 60
    token = f"{seal.attempt}.{ends}.{seal.seal(ends)}"  # even with a form that is rightly signed
    assert payer.send(link(opened), {"method": "card", "seal": token, **CARD}).status == 409
    assert charges(acquirers, opened) == 0


def test_a_method_that_is_not_offered_falls_back_to_one_that_is(payer, new_checkout):
    opened = new_checkout()
    assert payer.open(link(opened, query="?method=paypal")).document.all("input", name="number")
    seal = payer.open(link(opened)).hidden()["seal"]
    assert payer.send(link(opened), {"method": "../card", "seal": seal}).status == 422


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"number": "4242424242424242"}'),
        ("text/plain", b"number=4242424242424242"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken 4242424242424242"),
        ("application/x-www-form-urlencoded", b"number=%00%00&seal=%ff%fe&holder=%00"),
    ],
)
def test_a_body_that_is_no_form_gets_the_form_again(client, new_checkout, content_type, body):
    answer = client.post(link(new_checkout()), data=body, content_type=content_type)
    assert answer.status_code == 422
    assert "nicht vollständig angekommen" in answer.text
    assert not stands_in("4242", answer.text) and "42424242" not in answer.text


def test_ten_megabytes_are_too_much(client, new_checkout):
    answer = client.post(link(new_checkout()), data={"holder": "x" * 10_000_000})
    assert answer.status_code == 413
    assert "Das war zu viel auf einmal" in answer.text


def test_a_name_with_a_nul_byte_is_refused_at_its_field(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout())), card("4242424242424242", holder="Eri\x00ka"))
    assert shown.status == 422
    assert shown.error("holder")


def test_every_wrong_link_looks_the_same(payer, new_checkout, client):
    good = link(new_checkout())
    wrong = [good[:-1] + "x", good.partition(".")[0], "/pay/chk_.", "/pay/ü.ü", "/pay/%00", "/pay/" + "a" * 3000]
    wrong += [good[:-1] + "x" + step for step in ("/wait", "/result", "/cancel", "/logo")] + ["/return/op_x.y"]
    pages = set()
    for address in wrong:
        answer = client.get(address)
        assert answer.status_code == 404, address
        nonce = answer.headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
        pages.add(answer.text.replace(nonce, ""))
    assert len(pages) == 1
    assert "Diese Seite gibt es nicht" in pages.pop()
    assert "This page does not exist" in client.get("/pay/x", headers={"Accept-Language": "en"}).text


def test_a_method_of_http_that_no_page_takes_is_refused_with_a_page(client, new_checkout):
    answer = client.put(link(new_checkout()))
    assert answer.status_code == 405
    assert answer.mimetype == "text/html"


def _card(name: str) -> dict[str, str]:
    published = CARD_BY_NAME[name]
    return card(published.number, code=published.security_code)

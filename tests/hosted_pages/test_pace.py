"""So many forms a minute from one address, whatever the checkout."""

import time

import pytest
import time_machine
from flask.testing import FlaskClient

from app.config import settings
from app.core.limiter import who_is_at
from tests.hosted_pages.conftest import charges, link
from tests.hosted_pages.payer import Payer, card

FEW = 3
STOLEN = card("4000 0000 0000 0002")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """The window is the minute of the clock: a test that begins in its last seconds would see two."""
    monkeypatch.setenv("CHECKOUT_FORMS_PER_MINUTE", str(FEW))
    settings.cache_clear()
    with time_machine.travel(time.time() // 60 * 60 + 1):
        yield
    monkeypatch.undo()
    settings.cache_clear()


def at(app, address: str) -> Payer:
    """A payer whose browser is there. Each test has addresses of its own: what they sent is counted in Redis."""
    client: FlaskClient = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return Payer(client)


def try_out(payer: Payer, new_checkout, many: int) -> None:
    """A stolen card at one checkout after the other."""
    for _ in range(many):
        assert payer.fill_in(payer.open(link(new_checkout())), STOLEN).status == 200


@pytest.mark.parametrize(
    ("language", "heading", "way_back"),
    [("de", "Das war zu schnell", "Zurück zur Zahlung"), ("en", "That was too fast", "Back to the payment")],
)
def test_beyond_the_limit_a_page_asks_to_wait_and_nothing_is_charged(
    app, new_checkout, acquirers, language, heading, way_back
):
    payer, opened = at(app, f"203.0.113.{len(way_back)}"), new_checkout(language=language)
    form = payer.open(link(opened))
    try_out(payer, new_checkout, FEW)
    shown = payer.fill_in(form, card("4242 4242 4242 4242"))
    assert (shown.status, shown.heading) == (429, heading)
    assert opened.shop["name"] in shown.html
    assert shown.document.one("a", class_="button").text == way_back
    assert 0 < int(shown.headers["Retry-After"]) <= 60
    assert charges(acquirers, opened) == 0
    assert payer.open(link(opened)).status == 200, "looking is free"
    with time_machine.travel(time.time() + 60):
        assert payer.fill_in(payer.open(link(opened)), card("4242 4242 4242 4242")).status == 200
    assert charges(acquirers, opened) == 1


def test_somebody_elses_payments_go_on(app, new_checkout, acquirers):
    try_out(at(app, "203.0.113.101"), new_checkout, FEW)
    opened, other = new_checkout(), at(app, "203.0.113.102")
    other.fill_in(other.open(link(opened)), card("4242 4242 4242 4242"))
    assert charges(acquirers, opened) == 1


def test_a_forwarded_address_is_not_believed_by_itself(app, new_checkout):
    """Which one is, TRUSTED_PROXIES says (tests/core/test_web.py): it is the request's address that counts."""
    payer = at(app, "203.0.113.103")
    try_out(payer, new_checkout, FEW)
    form = payer.open(link(new_checkout()))
    sent = {**form.hidden(), **STOLEN}
    again = payer.send(form.document.one("form").attributes["action"], sent, **{"X-Forwarded-For": "203.0.113.104"})
    assert again.status == 429


def test_a_wrong_link_is_a_wrong_link_however_often_it_is_tried(app):
    payer = at(app, "203.0.113.105")
    assert {payer.send("/pay/chk_nothing.wrong", {}).status for _ in range(FEW + 2)} == {404}


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "address:203.0.113.7"),
        ("::ffff:203.0.113.7", "address:203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        (None, "address:unknown"),
    ],
)
def test_what_counts_as_one_address(address, counted_as):
    assert who_is_at(address) == counted_as

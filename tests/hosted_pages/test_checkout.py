"""The page with the form: what it shows, what it says to wrong input, what it never says."""

import pytest

from app.core.db import table_of
from app.merchants.models import Shop
from tests.hosted_pages.conftest import SHOP_ORIGIN, link
from tests.hosted_pages.payer import CARD, card, stands_in

LINES = [
    {"name": "Espresso", "quantity": 2, "amount": 3_000},
    {"name": "Filter <b>groß</b>", "quantity": 1, "amount": 1_990},
]


def test_an_order_is_summed_up_right_above_a_button_that_says_what_it_does(payer, new_checkout):
    shown = payer.open(link(new_checkout(lines=LINES)))
    assert shown.status == 200
    assert [button.text for button in shown.document.all("button")] == ["Zahlungspflichtig bestellen"]
    for words in ("2 × Espresso 30,00 €", "Filter <b>groß</b> 19,90 €", "Gesamtbetrag 49,90 €", "Verkäufer Merchant"):
        assert words in shown.text.replace("\xa0", " ")
    assert "Es gelten die AGB von Shop" in shown.text
    assert shown.html.index("Gesamtbetrag") < shown.html.index("Zahlungspflichtig bestellen")
    addresses = [anchor.attributes["href"] for anchor in shown.document.all("a")]
    for page in ("agb", "datenschutz", "impressum"):
        assert f"https://shop.example/{page}" in addresses


def test_a_payment_that_orders_nothing_says_pay(payer, new_checkout):
    shown = payer.open(link(new_checkout(places_order=False, description="Rechnung 4711")))
    assert [button.text for button in shown.document.all("button")] == ["Jetzt bezahlen"]
    assert "Rechnung 4711" in shown.text
    assert "AGB" not in shown.text


def test_amount_and_payee_stand_at_the_top_of_every_page(payer, new_checkout):
    opened = new_checkout(123_456)
    for step in ("", "/cancel"):
        header = payer.open(link(opened, step)).document.one("header").text.replace("\xa0", " ")
        assert "1.234,56 €" in header
        assert opened.shop["name"] in header


@pytest.mark.parametrize(
    ("language", "query", "browser", "expected"),
    [
        ("de", "", "en", "de"),
        ("en", "", "de", "en"),
        ("de", "?lang=en", "de", "en"),
        ("en", "?lang=de", "en", "de"),
        ("de", "?lang=fr", "en", "de"),
        ("fr", "?lang=xx", "en", "de"),  # the shop's language comes before the browser's
    ],
)
def test_the_language_is_the_asked_for_the_checkouts_then_the_shops(
    payer, new_checkout, language, query, browser, expected
):
    shown = payer.open(link(new_checkout(language=language), query=query), **{"Accept-Language": browser})
    assert shown.document.one("html").attributes["lang"] == expected
    assert ("49,90" in shown.text) == (expected == "de")
    assert ("€49.90" in shown.text) == (expected == "en")


def test_every_field_has_its_label_its_keyboard_and_its_purpose(payer, new_checkout):
    document = payer.open(link(new_checkout())).document
    fields = {
        "number": ("Kartennummer", "cc-number", "numeric"),
        "expiry": ("Gültig bis (MM/JJ)", "cc-exp", "numeric"),
        "code": ("Prüfnummer", "cc-csc", "numeric"),
        "holder": ("Name auf der Karte", "cc-name", "text"),
    }
    for name, (label, purpose, keyboard) in fields.items():
        field = document.one("input", name=name)
        assert document.one("label", for_=field.attributes["id"]).text == label
        assert (field.attributes["autocomplete"], field.attributes["inputmode"]) == (purpose, keyboard)
        assert "placeholder" not in field.attributes


def test_wrong_input_is_told_at_its_field_and_the_first_one_gets_the_focus(payer, new_checkout):
    opened = new_checkout()
    shown = payer.fill_in(
        payer.open(link(opened)), {"number": "", "expiry": "13/30", "code": "12", "holder": "Erika Mustermann"}
    )
    assert shown.status == 422
    assert shown.title.startswith("Fehler: ")
    assert shown.error("number") == "Geben Sie die Kartennummer ein."
    assert shown.error("expiry").startswith("Geben Sie Monat und Jahr")
    assert shown.error("code").startswith("Geben Sie die 3 Ziffern")
    assert shown.error("holder") == ""
    focused = [field.attributes["name"] for field in shown.document.all("input") if "autofocus" in field.attributes]
    assert focused == ["number"]
    assert shown.document.one("input", name="number").attributes["aria-invalid"] == "true"
    assert "f-number-error" in shown.document.one("input", name="number").attributes["aria-describedby"]
    in_english = payer.send(link(opened, query="?lang=en"), {**shown.hidden(), "number": "1"})
    assert in_english.title.startswith("Error: ")


def test_what_was_typed_is_kept_except_number_and_code(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout())), card("4242424242424241", code="987", expiry="1 / 2031"))
    document = shown.document
    assert document.one("input", name="holder").attributes["value"] == "Erika Mustermann"
    assert document.one("input", name="expiry").attributes["value"] == "01/31"
    for secret in ("4242424242424241", "4242 4242", "987"):
        assert not stands_in(secret, shown.html)


@pytest.mark.parametrize("field", ["holder", "expiry"])
def test_a_card_number_typed_into_another_field_is_not_shown_again(payer, new_checkout, field):
    shown = payer.fill_in(payer.open(link(new_checkout())), {**CARD, field: "4000 0566 5566 5556"})
    assert shown.status == 422
    assert shown.error(field)
    assert not stands_in("5566", shown.html) and "40000566" not in shown.html


def test_an_american_express_card_has_four_digits_on_the_front(payer, new_checkout):
    shown = payer.fill_in(payer.open(link(new_checkout())), card("3782 822463 10005", code="123"))
    assert shown.error("code") == "Geben Sie die 4 Ziffern von der Vorderseite der Karte ein."
    assert payer.fill_in(shown, card("3782 822463 10005", code="1234")).heading == "Vielen Dank für Ihre Zahlung"


def test_no_page_sets_a_cookie_and_none_is_kept_or_leaks_its_address(payer, new_checkout):
    opened = new_checkout()
    for address in (
        link(opened),
        link(opened, "/cancel"),
        "/pay/wrong",
        "/return/wrong",
        link(opened, query="?embed=1"),
    ):
        headers = payer.open(address).headers
        assert "Set-Cookie" not in headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=()" in headers["Permissions-Policy"]


def test_nothing_is_loaded_from_elsewhere_and_no_script_stands_in_the_page(payer, new_checkout):
    shown = payer.open(link(new_checkout()))
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policy
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    for element in shown.document.elements:
        assert not any(name.startswith("on") for name in element.attributes), element
        assert "style" not in element.attributes, element
        for attribute in ("src", "href"):
            address = element.attributes.get(attribute, "")
            if element.tag != "a" and address:
                assert address.startswith("/"), element
    assert [script.attributes["nonce"] for script in shown.document.all("script")] == [nonce]
    assert [style.attributes["nonce"] for style in shown.document.all("style")] == [nonce]
    assert payer.open(link(new_checkout())).headers["Content-Security-Policy"] != policy


def test_only_the_shops_own_origins_may_frame_it(payer, new_checkout):
    opened = new_checkout()
    alone, framed = payer.open(link(opened)), payer.open(link(opened, query="?embed=1"))
    assert "frame-ancestors 'none'" in alone.headers["Content-Security-Policy"]
    assert alone.headers["X-Frame-Options"] == "DENY"
    assert f"frame-ancestors {SHOP_ORIGIN};" in framed.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    assert framed.document.one("form").attributes["action"].endswith("?embed=1")


def test_an_origin_that_is_none_never_reaches_the_policy(payer, new_checkout, changed, tenant):
    shops = table_of(Shop)
    mine = shops.c.id == tenant.shop_id
    changed(shops, mine, allowed_origins=["https://a.example; script-src *", "javascript:x", "https://b.example"])
    try:
        policy = payer.open(link(new_checkout(), query="?embed=1")).headers["Content-Security-Policy"]
        assert "frame-ancestors https://b.example;" in policy
        assert policy.count("script-src") == 1
    finally:
        changed(shops, mine, allowed_origins=[SHOP_ORIGIN])


def test_the_first_page_with_all_it_loads_is_small(payer, client, new_checkout, changed, tenant):
    shops = table_of(Shop)
    changed(shops, shops.c.id == tenant.shop_id, logo=b"<svg/>", logo_type="image/svg+xml")
    shown = payer.open(link(new_checkout(lines=LINES)))
    loaded = [element.attributes["src"] for element in shown.document.elements if element.attributes.get("src")]
    loaded += [element.attributes["href"] for element in shown.document.all("link")]
    sizes = {address: len(client.get(address).data) for address in loaded}
    assert any("/logo" in address for address in sizes)
    assert sum(sizes.values()) + len(shown.html.encode()) < 30_000, sizes  # a logo may have 30,000 more


def test_test_mode_is_marked(payer, new_checkout):
    assert "Testbetrieb – es fließt kein Geld" in payer.open(link(new_checkout())).html
    assert "Test mode" in payer.open(link(new_checkout(), query="?lang=en")).html


def test_a_shop_says_its_own_sentence_in_the_language_of_the_page_only(payer, new_checkout, changed, tenant):
    shops = table_of(Shop)
    changed(shops, shops.c.id == tenant.shop_id, texts={"de": {"welcome": "Moin <Leute>"}})
    assert "Moin <Leute>" in payer.open(link(new_checkout())).text
    assert "Moin" not in payer.open(link(new_checkout(language="en"))).html


def test_a_logo_that_is_opened_by_itself_runs_nothing(client, new_checkout, changed, tenant):
    shops = table_of(Shop)
    mine = shops.c.id == tenant.shop_id
    changed(shops, mine, logo=b"<svg onload='alert(1)'/>", logo_type="image/svg+xml")
    answer = client.get(link(new_checkout(), "/logo"))
    assert (answer.mimetype, answer.data) == ("image/svg+xml", b"<svg onload='alert(1)'/>")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    changed(shops, mine, logo=None, logo_type=None)
    assert client.get(link(new_checkout(), "/logo")).status_code == 404


def test_style_and_script_are_kept_for_a_year_under_an_address_that_changes_with_them(payer, client, new_checkout):
    shown = payer.open(link(new_checkout()))
    for address in (shown.document.one("script").attributes["src"], shown.document.all("link")[1].attributes["href"]):
        assert "?v=" in address
        assert client.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert client.get(address.partition("?")[0]).headers["Cache-Control"] == "no-cache"

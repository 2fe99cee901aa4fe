"""The demo shops: basket, order, checkout at Zahlwerk, and what they are told."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.shop.goods import SHOPS
from sandbox.shop.zahlwerk import contract_of
from sandbox.web import create_app
from tests.sandbox.till import till

FIELDS = {"name": "Erika Mustermann", "email": "erika@example.org", "capture": "automatic", "how": "frame"}
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
DEMO = {
    "shops": [
        {"slug": "cafe-morgenrot", "api_key": "sk_test_a", "webhook_secret": SECRET, "shop_id": "shp_1"},
        {"slug": "nordlicht-outdoor", "api_key": "sk_test_b", "webhook_secret": SECRET, "shop_id": "shp_2"},
    ]
}


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Writes the demo file."""
    monkeypatch.setenv("ZAHLWERK_DEMO_FILE", str(tmp_path / "demo.json"))
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:8701")

    def write(content: Any) -> None:
        (tmp_path / "demo.json").write_text(json.dumps(content))

    write(DEMO)
    return write


@pytest.fixture
def client(tmp_path: Path, demo: Any) -> FlaskClient:
    return create_app(tmp_path / "journals").test_client()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    with till() as (url, requests):
        monkeypatch.setenv("PUBLIC_URL", url)
        yield requests


def fill(client: FlaskClient, slug: str = "cafe-morgenrot", sku: str = "handfilter", **how_many: int) -> None:
    assert client.post(f"/shop/{slug}/basket", data={"sku": sku, **how_many}).status_code == 303


def text(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.get_data(as_text=True)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("slug", SHOPS)
def test_every_good_has_a_page_in_both_languages(client: FlaskClient, slug: str, language: str) -> None:
    shelf = text(client, f"/shop/{slug}/?lang={language}")
    for good in SHOPS[slug].goods:
        page = text(client, f"/shop/{slug}/p/{good.sku}?lang={language}")
        name = good.name.en if language == "en" else good.name.de
        assert name in shelf and name in page
        assert "<svg" in page


@pytest.mark.parametrize("page", ["agb", "datenschutz", "impressum"])
def test_the_legal_pages_exist_in_both_languages(client: FlaskClient, page: str) -> None:
    for language, word in (("de", "ist ein Demo-Shop"), ("en", "is a demo shop")):
        assert word in text(client, f"/shop/nordlicht-outdoor/{page}?lang={language}")


def test_nothing_is_loaded_from_elsewhere(client: FlaskClient, asked: Any) -> None:
    for path in ("/shop/", "/shop/cafe-morgenrot/", "/mail/", "/webhooks/"):
        page = text(client, path)
        assert 'src="http' not in page and 'href="http' not in page


def test_the_basket_adds_changes_and_empties(client: FlaskClient) -> None:
    fill(client, add=2)
    fill(client, sku="yirgacheffe")
    assert "61,70\u00a0€" in text(client, "/shop/cafe-morgenrot/basket")
    fill(client, set=1)
    assert "36,80\u00a0€" in text(client, "/shop/cafe-morgenrot/basket")
    fill(client, set=0)
    fill(client, sku="yirgacheffe", set=0)
    assert "Noch liegt nichts darin" in text(client, "/shop/cafe-morgenrot/basket")


def test_each_shop_has_a_basket_of_its_own(client: FlaskClient) -> None:
    fill(client)
    assert "Noch liegt nichts darin" in text(client, "/shop/nordlicht-outdoor/basket")


@pytest.mark.parametrize("cookie", ["nonsense", "[]", '{"handfilter": -3}', '{"handfilter": "2"}', '{"gold": 1}'])
def test_a_basket_that_is_none_is_empty(client: FlaskClient, cookie: str) -> None:
    client.set_cookie("basket_cafe-morgenrot", cookie, path="/shop/")
    assert "Noch liegt nichts darin" in text(client, "/shop/cafe-morgenrot/basket")


def test_an_order_becomes_a_checkout_at_zahlwerk(client: FlaskClient, asked: list[dict[str, Any]]) -> None:
    fill(client, add=2)
    answer = client.post("/shop/cafe-morgenrot/checkout", data=FIELDS)
    assert answer.status_code == 303
    number = answer.location.rpartition("/")[2]

    [request] = asked
    assert request["headers"]["Authorization"] == "Bearer sk_test_a"
    assert request["headers"]["Idempotency-Key"] == number
    assert request["json"] == {
        "amount": 4980,
        "currency": "EUR",
        "merchant_reference": number,
        "shop": "shp_1",
        "capture": "automatic",
        "description": f"Café Morgenrot, {number}",
        "customer": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "lines": [{"name": "Handfilter Porzellan", "quantity": 2, "amount": 4980}],
        "return_url": f"http://127.0.0.1:8701/shop/cafe-morgenrot/thanks?order={number}",
        "language": "de",
    }
    page = text(client, answer.location)
    assert "data-zahlwerk-checkout=" in page and "/pay/token1?frame=1" in page
    assert '/embed.js"' in page and "49,80\u00a0€" in page


def test_the_payer_may_go_to_a_page_of_its_own_and_the_shop_may_take_the_money_later(
    client: FlaskClient, asked: list[dict[str, Any]]
) -> None:
    fill(client)
    answer = client.post("/shop/cafe-morgenrot/checkout", data={**FIELDS, "how": "page", "capture": "manual"})
    assert answer.location.endswith("/pay/token1")
    assert asked[0]["json"]["capture"] == "manual"


def test_the_order_is_remembered_and_the_basket_emptied_when_the_payer_comes_back(
    tmp_path: Path, client: FlaskClient, asked: Any
) -> None:
    fill(client)
    number = client.post("/shop/cafe-morgenrot/checkout", data=FIELDS).location.rpartition("/")[2]
    assert "24,90" in text(client, "/shop/cafe-morgenrot/basket")
    assert "Danke für Ihre Bestellung" in text(client, f"/shop/cafe-morgenrot/thanks?order={number}")
    assert "Noch liegt nichts darin" in text(client, "/shop/cafe-morgenrot/basket")
    again = create_app(tmp_path / "journals").test_client()
    assert number in text(again, f"/shop/cafe-morgenrot/thanks?order={number}")
    assert again.get(f"/shop/nordlicht-outdoor/thanks?order={number}").status_code == 404


@pytest.mark.parametrize("wrong", [{"name": " "}, {"email": "nobody"}, {"email": "a b@c"}])
def test_a_wrong_field_is_said_at_the_field_and_asks_for_no_checkout(
    client: FlaskClient, asked: list[dict[str, Any]], wrong: dict[str, str]
) -> None:
    fill(client)
    answer = client.post("/shop/cafe-morgenrot/checkout", data={**FIELDS, **wrong})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and asked == []
    assert "<title>Fehler: " in page and 'aria-invalid="true"' in page


def test_an_empty_basket_places_no_order(client: FlaskClient, asked: list[dict[str, Any]]) -> None:
    assert client.post("/shop/cafe-morgenrot/checkout", data=FIELDS).location.endswith("/basket")
    assert asked == []


def test_a_refusal_is_shown_and_the_basket_kept(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(client)
    with till(refuse=(422, {"error": {"message": "Amount must be positive."}})) as (url, _):
        monkeypatch.setenv("PUBLIC_URL", url)
        answer = client.post("/shop/cafe-morgenrot/checkout", data=FIELDS)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 502
    assert "HTTP 422: Amount must be positive." in page and "24,90" in page


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://127.0.0.1:1/x"])
def test_a_product_that_is_down_is_said(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", address)
    fill(client)
    answer = client.post("/shop/cafe-morgenrot/checkout", data=FIELDS)
    assert answer.status_code == 502
    assert "lässt sich gerade nicht öffnen" in answer.get_data(as_text=True)


def test_without_demo_data_it_says_what_is_missing(client: FlaskClient, demo: Any, asked: Any) -> None:
    demo({})
    fill(client)
    answer = client.post("/shop/cafe-morgenrot/checkout", data=FIELDS)
    assert answer.status_code == 502 and "demo data" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("shops", "found"),
    [
        ([{"slug": "nordlicht-outdoor", "n": 1}, {"slug": "cafe-morgenrot", "n": 2}], 2),
        ([{"slug": "nord", "name": "Nordlicht", "n": 1}, {"slug": "kaffee", "name": "Café Morgenrot", "n": 2}], 2),
        ([{"slug": "a", "n": 1}, {"slug": "b", "n": 2}], 1),
    ],
)
def test_a_shop_finds_its_line_in_the_demo_file(demo: Any, shops: list[Any], found: int) -> None:
    demo({"shops": shops})
    assert (contract_of(SHOPS["cafe-morgenrot"]) or {})["n"] == found


def test_the_shop_shows_what_it_is_told_about_this_order_and_no_other(client: FlaskClient, asked: Any) -> None:
    fill(client)
    number = client.post("/shop/cafe-morgenrot/checkout", data=FIELDS).location.rpartition("/")[2]
    payment = "pay_01h455vb4pex5vsknk084sn02q"
    for name, kind, data in (
        ("cafe-morgenrot", "payment.authorised", {"id": payment, "merchant_reference": number}),
        ("cafe-morgenrot", "payment.captured", {"id": payment}),
        ("cafe-morgenrot", "checkout.completed", {"id": "chk_1"}),
        ("cafe-morgenrot", "payment.captured", {"id": "pay_99h455vb4pex5vsknk084sn02q"}),
        ("nordlicht-outdoor", "payment.refunded", {"id": payment}),
    ):
        client.post(f"/webhooks/in/{name}", json={"type": kind, "data": data})
    news = client.get(f"/shop/cafe-morgenrot/order/{number}/news.json").json
    assert [message["type"] for message in news] == ["payment.authorised", "payment.captured", "checkout.completed"]


@pytest.mark.parametrize(
    "path",
    ["/shop/nowhere/", "/shop/cafe-morgenrot/p/gold", "/shop/cafe-morgenrot/order/X", "/shop/cafe-morgenrot/thanks"],
)
def test_what_does_not_exist_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404

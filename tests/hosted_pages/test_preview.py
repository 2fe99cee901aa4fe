"""The preview of a shop's checkout: what is typed in the back office, on the real page, with nothing to press."""

import base64
import io
import re
from datetime import timedelta

import pytest
import time_machine
from PIL import Image

from app.core.clock import now
from app.core.ids import uuid7
from app.merchants import preview
from app.merchants.preview import Preview
from tests import factories

LOOK = {
    "name": "Korn & Söhne",
    "accent": "#9a3412",
    "radius": "3",
    "font": "serif",
    "theme": "dark",
    "language": "de",
    "welcome_de": "Willkommen, <b>liebe</b> Leute",
    "welcome_en": "Welcome in",
    "thanks_de": "Danke sehr!",
    "support_de": "Ruf an: 030 123",
}


@pytest.fixture
def link(app, tenant):
    with app.app_context():
        return f"/preview/{preview.token(Preview(tenant.merchant_id, False, tenant.shop_id))}"


@pytest.fixture
def look(client, link):
    """The page with these fields typed: look(accent="#123456")."""

    def post(**changes):
        answer = client.post(link, data={**LOOK, **changes}, content_type="multipart/form-data")
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    return post


def picture():
    content = io.BytesIO()
    Image.new("RGB", (300, 100), "#0a7a3c").save(content, "PNG")
    return content.getvalue()


def test_the_stored_look_is_shown_before_anything_is_typed(client, link, tenant, app):
    page = client.get(link).get_data(as_text=True)
    assert "Shop " in page and 'action="#"' in page and "49,90" in page
    assert "Kartennummer" in page and "Zahlungspflichtig bestellen" in page


def test_what_is_typed_is_shown_on_the_real_page_and_changes_nothing(look, client, link):
    page = look()
    assert "<strong>Korn &amp; Söhne</strong>" in page
    assert "--accent:#9a3412" in page and "--radius:3px" in page and "Palatino" in page
    assert "theme-dark" in page
    assert "Willkommen, &lt;b&gt;liebe&lt;/b&gt; Leute" in page and "Ruf an: 030 123" in page
    assert "Korn" not in client.get(link).get_data(as_text=True)


def test_the_page_after_a_payment_and_the_other_language_can_be_looked_at(look):
    assert "Danke sehr!" in look(shown_page="paid") and "Visa" in look(shown_page="paid")
    english = look(shown_language="en")
    assert "Welcome in" in english and "Card number" in english and 'lang="en"' in english


def test_a_logo_is_shown_before_it_is_stored(look):
    page = look(logo=(io.BytesIO(picture()), "logo.png"))
    shown = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert shown and Image.open(io.BytesIO(base64.b64decode(shown[1]))).size == (300, 100)
    kept = look(kept_logo=base64.b64encode(picture()).decode())
    assert "data:image/png;base64," in kept
    assert "data:image" not in look(logo=(io.BytesIO(b"<svg onload=alert(1)>"), "logo.png"))


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("accent", "red;}body{display:none"),
        ("accent", "#777"),
        ("radius", "9999999999"),
        ("radius", "very round"),
        ("font", "'};"),
        ("theme", "sepia"),
        ("language", "fr-patois"),
        ("privacy_url", "javascript:alert(1)"),
        ("kept_logo", "no base64"),
    ],
)
def test_nonsense_while_typing_leaves_a_page_that_works(look, field, typed):
    page = look(**{field: typed})
    assert typed not in page and "Kartennummer" in page


def test_nothing_runs_is_sent_or_framed_by_others(client, link):
    answer = client.get(link)
    policy = answer.headers["Content-Security-Policy"]
    assert (
        "frame-ancestors 'self'" in policy and "form-action 'none'" in policy and "sandbox allow-same-origin" in policy
    )
    assert "script-src" not in policy and "<script" not in answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers and answer.headers["Cache-Control"] == "no-store"


def test_only_a_signed_fresh_link_of_ours_opens_it(client, link, app, tenant):
    assert client.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 404
    assert client.get(link.replace(".test.", ".live.")).status_code == 404
    for other in ("nonsense", "mer_1.new.test.99999999999.00", "...."):
        assert client.get(f"/preview/{other}").status_code == 404
    assert client.get(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 404
    with time_machine.travel(now() + timedelta(hours=13)):
        assert client.get(link).status_code == 404


def test_a_shop_of_another_merchant_is_not_shown(client, app, tenant, acquirers):
    with app.app_context():
        other = factories.tenant(acquirers["A"])
        foreign = preview.token(Preview(other.merchant_id, False, tenant.shop_id))
        gone = preview.token(Preview(uuid7(), False))
    assert client.get(f"/preview/{foreign}").status_code == 404
    assert client.get(f"/preview/{gone}").status_code == 404


def test_a_shop_that_does_not_exist_yet_can_be_looked_at(client, app, tenant):
    with app.app_context():
        new = preview.token(Preview(tenant.merchant_id, False))
    assert "--accent:#1f4fd8" in client.get(f"/preview/{new}").get_data(as_text=True)


def test_methods_are_those_of_the_contracts_in_that_currency(client, app, tenant, link):
    assert "PayPal" not in client.get(link).get_data(as_text=True)
    in_zloty = client.get(f"{link}?currency=PLN").get_data(as_text=True)
    assert "PayPal" in in_zloty, "no contract takes it: then every method is shown"


def test_a_body_larger_than_a_logo_is_refused_unread(client, link):
    assert client.post(link, data={"name": "x" * 1_100_000}).status_code == 413

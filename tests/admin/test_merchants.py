"""Merchants, shops, contracts and API keys in the back office."""

import io

import pytest
from PIL import Image
from sqlalchemy import select, text

from admin import choices
from app.core.db import ALL, reading
from app.core.ids import parse_id, public_id
from app.merchants import contracts, keys
from app.merchants.add import CONTRACTS, MERCHANTS, SHOPS
from hosted_pages import looks
from sandbox.acquirers.letters import LETTERS
from tests import factories


@pytest.fixture
def events(app):
    """Names of what was told about a merchant, newest last."""

    def of(merchant_id):
        with app.app_context(), reading(ALL) as connection:
            query = text("SELECT name FROM events WHERE merchant_id = :id ORDER BY id")
            return list(connection.execute(query, {"id": merchant_id}).scalars())

    return of


@pytest.fixture
def row(app):
    def read(table, row_id):
        with app.app_context(), reading(ALL) as connection:
            return connection.execute(select(table).where(table.c.id == row_id)).mappings().one()

    return read


@pytest.fixture
def mine(tenant):
    return public_id("mer", tenant.merchant_id)


def id_of(page, prefix):
    return parse_id(prefix, page.path.rpartition("/")[2])


# merchants


def test_a_merchant_is_added_and_changed(desk, events):
    page = desk.open("/admin/merchants/add")
    added = desk.send(page, page.form("name"), name="Bäckerei Korn", email="Technik@Korn.example", sandbox="y")
    assert added.notes == ["Bäckerei Korn is added. What it needs to take payments stands here."]
    merchant_id = id_of(added, "mer")
    merchant = desk.open(f"/admin/merchants/{public_id('mer', merchant_id)}")
    assert "technik@korn.example" in merchant.text
    page = desk.open(f"{merchant.path}/change")
    changed = desk.send(page, page.form("name"), name="Bäckerei Korn GmbH", country="AT")
    assert changed.notes == ["Saved."] and "Bäckerei Korn GmbH" in changed.text
    assert events(merchant_id) == ["merchant.added", "merchant.changed"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, "This is needed."),
        ({"email": "nonsense"}, "This is not an e-mail address. Type it like name@example.com."),
        ({"country": "Germany"}, "Two capital letters, for example DE."),
    ],
)
def test_what_is_wrong_with_a_merchant_is_said_at_its_field(desk, changes, error):
    page = desk.open("/admin/merchants/add")
    again = desk.send(page, page.form("name"), **{"name": "Neu", **changes})
    assert again.path.startswith("/admin/merchants/add")
    assert again.errors == [error]
    for field, typed in changes.items():
        assert again.form("name").fields[field] == typed


def test_two_merchants_do_not_share_a_name(desk, tenant, row):
    page = desk.open("/admin/merchants/add")
    again = desk.send(page, page.form("name"), name=row(MERCHANTS, tenant.merchant_id)["name"])
    assert again.errors == ["There is a merchant with this name already."]


def test_the_clock_of_a_merchant_for_trying_out_is_moved_forward(desk, events, row):
    page = desk.open("/admin/merchants/add")
    added = desk.send(page, page.form("name"), name="Vorgestellt", sandbox="y")
    merchant_id = id_of(added, "mer")
    page = desk.open(f"/admin/merchants/{public_id('mer', merchant_id)}/clock")
    assert desk.send(page, page.form("days"), days="0").errors != []
    moved = desk.send(page, page.form("days"), days="8")
    assert moved.notes[0].startswith("It is ") and moved.path == f"/admin/merchants/{public_id('mer', merchant_id)}"
    assert row(MERCHANTS, merchant_id)["clock_offset_seconds"] == 8 * 86_400
    assert events(merchant_id) == ["merchant.added", "merchant.clock_moved"]
    page = desk.open(f"{moved.path}/change")
    kept = desk.send(page, page.form("name"), sandbox=None)
    assert "stays one for trying out" in kept.text
    assert row(MERCHANTS, merchant_id)["sandbox"]


def test_its_page_shows_what_belongs_to_it(desk, mine):
    text_ = desk.open(f"/admin/merchants/{mine}").text
    for part in ("Shops", "Contracts", "API keys", "Webhook endpoints", "Sandbox card acquirer", "test"):
        assert part in text_


# shops


def picture(size=(900, 300), kind="PNG"):
    content = io.BytesIO()
    Image.new("RGB", size, "#9a3412").save(content, kind)
    return content.getvalue()


def test_a_shop_is_added_with_its_look_and_words(desk, mine, row, events, tenant):
    page = desk.open(f"/admin/shops/add?merchant={mine}")
    added = desk.send(
        page,
        page.form("name", "accent"),
        name="Korn Laden",
        accent="#9A3412",
        radius="4",
        font="serif",
        allowed_origins="https://korn.example/\r\nhttp://localhost:8080",
        thanks_de="Danke!",
        terms_url="https://korn.example/agb",
        notify_email="Laden@korn.example",
        notify_events=["capture.succeeded", "refund.succeeded"],
        payer_receipts="y",
        logo=(io.BytesIO(picture()), "logo.png"),
    )
    assert added.notes == ["Korn Laden is added."]
    shop = row(SHOPS, id_of(added, "shp"))
    assert (shop["accent"], shop["radius"], shop["font"]) == ("#9a3412", 4, "serif")
    assert shop["allowed_origins"] == ["https://korn.example", "http://localhost:8080"]
    assert shop["texts"] == {"de": {"thanks": "Danke!"}}
    assert shop["notify_email"] == "laden@korn.example" and shop["payer_receipts"]
    assert shop["notify_events"] == ["capture.succeeded", "refund.succeeded"]
    assert shop["logo_type"] == "image/png" and Image.open(io.BytesIO(shop["logo"])).size == (480, 160)
    assert events(tenant.merchant_id)[-1] == "shop.added"
    logo = desk.ask(f"{added.path}/logo")
    assert logo.data == shop["logo"] and logo.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"accent": "#ffff00"}, None),
        ({"accent": "#7a7f86"}, "is hard to read"),
        ({"accent": "blue"}, "“blue” is not a colour."),
        ({"allowed_origins": "https://shop.example/path"}, "is not an origin"),
        ({"allowed_origins": "javascript:alert(1)"}, "is not an origin"),
        ({"terms_url": "javascript:alert(1)"}, "is not a web address"),
        ({"notify_email": "nobody"}, "This is not an e-mail address."),
        ({"radius": "99"}, "Between 0 and 28."),
        ({"name": ""}, "This is needed."),
    ],
)
def test_what_is_wrong_with_a_shop_is_said_at_its_field(desk, mine, changes, error):
    page = desk.open(f"/admin/shops/add?merchant={mine}")
    again = desk.send(page, page.form("name", "accent"), **{"name": "Test", **changes})
    if error is None:
        assert again.path.startswith("/admin/shops/shp_")
        return
    assert len(again.errors) == 1 and error in again.errors[0]
    (field, typed), *_ = changes.items()
    assert again.form("name", "accent").fields[field].strip() == typed


def test_a_colour_that_cannot_be_read_comes_with_one_that_can(desk, mine):
    page = desk.open(f"/admin/shops/add?merchant={mine}")
    again = desk.send(page, page.form("name", "accent"), name="Grau", accent="#7a7f86")
    nearest = again.text.partition("Take ")[2].split()[0]
    assert nearest.startswith("#")
    fixed = desk.send(again, again.form("name", "accent"), take=nearest)
    assert fixed.path.startswith("/admin/shops/shp_") and nearest in fixed.text


NO_PICTURES = {"html": b"<html>", "gif": b"GIF89a...", "cut": picture()[:200], "empty": b""}


@pytest.mark.parametrize("content", NO_PICTURES.values(), ids=NO_PICTURES)
def test_a_logo_that_is_no_picture_is_refused(desk, mine, content):
    page = desk.open(f"/admin/shops/add?merchant={mine}")
    again = desk.send(page, page.form("name", "accent"), name="Bild", logo=(io.BytesIO(content), "logo.png"))
    assert again.errors == ["This file is not a picture that we can read. Upload a PNG, JPEG or WebP file."]


def test_a_shop_is_changed_and_its_logo_removed(desk, tenant, row):
    path = f"/admin/shops/{public_id('shp', tenant.shop_id)}"
    page = desk.open(f"{path}/change")
    desk.send(page, page.form("name", "accent"), name="Neuer Name", logo=(io.BytesIO(picture(kind="JPEG")), "l.jpg"))
    assert row(SHOPS, tenant.shop_id)["logo_type"] == "image/png"
    page = desk.open(f"{path}/change")
    assert page.form("name").fields["name"] == "Neuer Name"
    desk.send(page, page.form("name", "accent"), remove_logo="y")
    assert row(SHOPS, tenant.shop_id)["logo"] is None


def test_a_form_sent_twice_adds_one_shop(app, desk, mine):
    page = desk.open(f"/admin/shops/add?merchant={mine}")
    form = page.form("name", "accent")
    desk.send(page, form, name="Nur einmal")
    again = desk.send(page, form, name="Nur einmal")
    assert again.notes == ["This form was sent before and is done already."]
    with app.app_context(), reading(ALL) as connection:
        assert connection.execute(text("SELECT count(*) FROM shops WHERE name = 'Nur einmal'")).scalar_one() == 1


def test_the_choices_are_those_of_the_hosted_pages():
    assert set(choices.FONTS) == set(looks.FONTS)
    assert set(choices.THEMES) == set(looks.THEMES)
    assert choices.SHOP_TEXTS == looks.TEXTS


# contracts


def test_a_contract_is_added_from_what_the_connector_asks_for(desk, mine, row):
    chooser = desk.open(f"/admin/contracts/add?merchant={mine}&mode=test")
    assert all(name in chooser.text for name in ("Stripe", "PayPal", "Adyen"))
    page = desk.open(f"/admin/contracts/add?merchant={mine}&provider=sandbox_card")
    letter = LETTERS["A"]
    added = desk.send(
        page,
        page.form("label", "setting_url"),
        label="Zweiter Acquirer",
        priority="5",
        authorisation_days="3",
        setting_url="http://127.0.0.1:9701",
        setting_api_key=letter.api_key,
        setting_news_secret=letter.news_secret,
    )
    assert added.notes[0] == "Zweiter Acquirer is added."
    assert added.notes[1].startswith("Sandbox card acquirer does not answer at this address.")
    contract = row(CONTRACTS, id_of(added, "ctr"))
    assert (contract["priority"], contract["authorisation_days"], contract["live"]) == (5, 3, False)
    assert contracts.opened(contract).settings["api_key"] == letter.api_key
    assert letter.api_key not in added.html and "stored, cannot be read" in added.text
    assert f"/news/sandbox_card/{public_id('ctr', contract['id'])}" in added.text


def test_a_missing_setting_is_said_at_its_field(desk, mine):
    page = desk.open(f"/admin/contracts/add?merchant={mine}&provider=sandbox_card")
    again = desk.send(page, page.form("label"), setting_url="", setting_api_key="x", setting_news_secret="x")
    assert len(again.errors) == 1 and "is needed" in again.errors[0]


def test_secrets_can_be_written_and_never_read(desk, tenant, row):
    path = f"/admin/contracts/{public_id('ctr', tenant.contract_id)}"
    before = contracts.opened(row(CONTRACTS, tenant.contract_id)).settings
    page = desk.open(f"{path}/change")
    assert before["api_key"] not in page.html
    assert page.form("label").fields["setting_api_key"] == ""
    kept = desk.send(page, page.form("label"), label="Umbenannt")
    assert kept.notes == ["Saved."]
    assert contracts.opened(row(CONTRACTS, tenant.contract_id)).settings == before
    page = desk.open(f"{path}/change")
    desk.send(page, page.form("label"), setting_api_key="another")
    after = contracts.opened(row(CONTRACTS, tenant.contract_id)).settings
    assert after == {**before, "api_key": "another"}
    page = desk.open(f"{path}/change")
    desk.send(page, page.form("label"), setting_api_key=before["api_key"])


def test_what_was_told_of_a_change_holds_no_secret(app, desk, tenant):
    path = f"/admin/contracts/{public_id('ctr', tenant.contract_id)}"
    page = desk.open(f"{path}/change")
    desk.send(page, page.form("label"), setting_news_secret="a-new-secret", priority="7")
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT data::text FROM events WHERE name = 'contract.changed' ORDER BY id DESC LIMIT 1")
        told = connection.execute(query).scalar_one()
    assert "settings_sealed" in told and "a-new-secret" not in told and '"priority": 7' in told


def test_a_contract_is_switched_off(desk, made, acquirers, row):
    shop = made(factories.tenant, acquirers["A"])
    path = f"/admin/contracts/{public_id('ctr', shop.contract_id)}"
    page = desk.open(f"{path}/change")
    off = desk.send(page, page.form("label"), active=None)
    assert "Switched off" in off.text
    assert row(CONTRACTS, shop.contract_id)["active"] is False


# API keys


def test_a_key_is_shown_once_and_works(app, desk, mine):
    page = desk.open(f"/admin/keys/issue?merchant={mine}&mode=test")
    form = page.form("name", "permissions")
    issued = desk.send(page, form, name="Kasse", permissions=["payment.read"])
    secret = issued.text.partition("Copy it now. ")[2].split()[0]
    assert secret.startswith("sk_test_")
    assert issued.headers["Cache-Control"] == "no-store"
    answer = app.test_client().get("/v1/payments", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    again = desk.send(page, form, name="Kasse", permissions=["payment.read"])
    assert secret not in again.html and again.notes[0].startswith("This form was sent before.")
    assert secret not in desk.open(f"/admin/merchants/{mine}").html


def test_a_key_is_rotated_with_an_overlap_and_revoked(app, desk, made, acquirers):
    shop = made(factories.tenant, acquirers["A"])
    key = public_id("key", shop.key_id)
    page = desk.open(f"/admin/keys/{key}/rotate")
    form = page.form("overlap")
    rotated = desk.send(page, form, overlap="24")
    secret = rotated.text.partition("Copy it now. ")[2].split()[0]
    assert desk.send(page, form, overlap="24").notes[0].startswith("This form was sent before."), "one new key only"
    with app.app_context():
        assert keys.authenticate(secret) and keys.authenticate(shop.key)
    page = desk.open(f"/admin/keys/{key}/revoke")
    assert "stops working at once" in page.text
    revoked = desk.send(page, page.own_form)
    assert revoked.notes == ["test is revoked. Requests with it are refused from now on."]
    with app.app_context():
        assert keys.authenticate(shop.key) is None
    assert desk.open(f"/admin/keys/{key}/revoke").own_form and "Revoked" in desk.open("/admin/keys/?mode=test").text

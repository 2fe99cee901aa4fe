"""Events, webhook endpoints and deliveries in the back office."""

import pytest
from sqlalchemy import select, text, update

from app.core import sequence
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.messages.endpoints import DELIVERIES, ENDPOINTS, add_endpoint, send_test
from tests import factories


@pytest.fixture(scope="module")
def shop(app, acquirers):
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture
def endpoint(app, shop):
    """A fresh endpoint with one test delivery: (path of its page, id, id of the delivery)."""
    with app.app_context(), atomic(ALL) as connection:
        to = {"merchant_id": shop.merchant_id, "live": False, "actor": "test"}
        endpoint_id, _ = add_endpoint(connection, url="http://127.0.0.1:9/hooks", description="Kasse", **to)
        delivery_id = send_test(connection, endpoint_id=endpoint_id, actor="test")
    return f"/admin/endpoints/{public_id('whe', endpoint_id)}", endpoint_id, delivery_id


@pytest.fixture
def read(app):
    def row(table, row_id):
        with app.app_context(), reading(ALL) as connection:
            return connection.execute(select(table).where(table.c.id == row_id)).mappings().one()

    return row


@pytest.fixture
def failed(app, endpoint):
    """The endpoint's delivery was given up."""
    _, _, delivery_id = endpoint
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.id == delivery_id)
            .values(state="failed", attempts=9, last_status=500, last_duration_ms=31, last_error="HTTP 500")
        )
    return delivery_id


# endpoints


def test_an_endpoint_is_added_and_its_secret_shown_once(app, desk, shop, read):
    mine = public_id("mer", shop.merchant_id)
    page = desk.open(f"/admin/endpoints/add?merchant={mine}&mode=test")
    form = page.form("url", "description")
    added = desk.send(page, form, url="http://127.0.0.1:8/in", events=["capture.succeeded"])
    secret = next(word for word in added.text.split() if word.startswith("whsec_"))
    again = desk.send(page, form, url="http://127.0.0.1:8/in", events=["capture.succeeded"])
    assert secret not in again.html and again.notes[0].startswith("This form was sent before.")
    with app.app_context(), reading(ALL) as connection:
        rows = connection.execute(select(ENDPOINTS).where(ENDPOINTS.c.url == "http://127.0.0.1:8/in")).mappings().all()
    assert [list(row["events"]) for row in rows] == [["capture.succeeded"]]
    assert secret not in desk.open(f"/admin/endpoints/{public_id('whe', rows[0]['id'])}").html


@pytest.mark.parametrize("typed", ["ftp://x.example/", "not a url", "http://user:pw@x.example/"])
def test_an_address_that_cannot_be_called_is_refused_at_its_field(desk, shop, typed):
    page = desk.open(f"/admin/endpoints/add?merchant={public_id('mer', shop.merchant_id)}&mode=test")
    again = desk.send(page, page.form("url", "description"), url=typed)
    assert len(again.errors) == 1
    assert again.form("url", "description").fields["url"] == typed


def test_its_secret_is_rotated_once_per_form(desk, endpoint, read):
    path, endpoint_id, _ = endpoint
    before = read(ENDPOINTS, endpoint_id)["secret_sealed"]
    page = desk.open(path)
    rotated = desk.send(page, page.form_to("/rotate"))
    assert any(word.startswith("whsec_") for word in rotated.text.split())
    after = read(ENDPOINTS, endpoint_id)
    assert after["old_secret_sealed"] == before
    assert desk.send(page, page.form_to("/rotate")).notes[0].startswith("This form was sent before.")
    assert read(ENDPOINTS, endpoint_id)["secret_sealed"] == after["secret_sealed"]


def test_it_is_tested_switched_off_and_on_and_deleted(desk, endpoint, read):
    path, endpoint_id, delivery_id = endpoint
    page = desk.open(path)
    assert desk.send(page, page.form_to("/test")).notes == ["The test is on its way …"]
    off = desk.send(page, page.form_to("/switch"))
    assert "Switched off" in off.text and read(DELIVERIES, delivery_id)["state"] == "failed"
    on = desk.send(off, off.form_to("/switch"))
    assert on.notes[0] == "Switched on."
    page = desk.open(f"{path}/delete")
    assert desk.send(page, page.own_form).notes == ["The endpoint is deleted."]
    assert desk.open(path).status == 404
    assert read(ENDPOINTS, endpoint_id)["deleted_at"] is not None


def test_it_is_changed(desk, endpoint, read):
    path, endpoint_id, _ = endpoint
    page = desk.open(f"{path}/change")
    assert page.form("url", "description").fields["description"] == "Kasse"
    saved = desk.send(page, page.form("url", "description"), description="Lager", events=["refund.succeeded"])
    assert saved.notes == ["Saved."]
    row = read(ENDPOINTS, endpoint_id)
    assert (row["description"], list(row["events"])) == ("Lager", ["refund.succeeded"])


def test_a_failing_one_is_open_work(app, desk, endpoint):
    path, endpoint_id, _ = endpoint
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id).values(failing_since=now()))
    assert "Failing" in desk.open(path).text
    assert "Failing webhook endpoints" in desk.open("/admin/?mode=test").text
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id).values(failing_since=None))


# deliveries


def test_a_delivery_shows_what_was_sent_and_answered(desk, failed):
    page = desk.open(f"/admin/deliveries/{public_id('dlv', failed)}")
    for words in ("Given up", "500 · 31 ms", "HTTP 500", '"type": "endpoint.test"', "http://127.0.0.1:9/hooks"):
        assert words in page.text


def test_it_is_sent_again_once(app, desk, endpoint, failed):
    page = desk.open(f"/admin/deliveries/{public_id('dlv', failed)}")
    form = page.form_to("/replay")
    again = desk.send(page, form)
    assert again.notes == ["It is sent again now. This is the new delivery."]
    assert desk.send(page, form).notes == ["It is being sent again already."]
    with app.app_context(), reading(ALL) as connection:
        query = select(DELIVERIES.c.replay).where(DELIVERIES.c.endpoint_id == endpoint[1]).order_by(DELIVERIES.c.replay)
        assert list(connection.execute(query).scalars()) == [0, 1]


def test_all_failed_ones_of_an_endpoint_are_sent_again(desk, endpoint, failed, read):
    path, _, _ = endpoint
    page = desk.open(path)
    assert desk.send(page, page.form_to("/replay")).notes == ["1 deliveries are sent again."]
    assert "Send all failed ones again" not in desk.open(path).text


def test_the_list_is_filtered_by_state_and_endpoint(desk, endpoint, failed):
    address = endpoint[0].rpartition("/")[2]
    assert "Given up" in desk.open(f"/admin/deliveries/?mode=test&address={address}&state=failed").html
    nothing = desk.open(f"/admin/deliveries/?mode=test&address={address}&state=delivered")
    assert "No delivery fits these filters" in nothing.text
    assert desk.open("/admin/deliveries/?mode=test&after=rubbish").status == 200


def test_the_list_goes_on_page_by_page(desk, endpoint, monkeypatch):
    from admin.screens import deliveries

    monkeypatch.setattr(deliveries, "_LIMIT", 1)
    first = desk.open("/admin/deliveries/?mode=test")
    following = first.html.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = desk.open(f"/admin/deliveries/{following}")
    ids = [page.html.partition("/admin/deliveries/dlv_")[2][:26] for page in (first, second)]
    assert ids[0] != ids[1] and all(len(one) == 26 for one in ids)


# events


def test_events_are_listed_filtered_and_shown_in_full(app, made, shop, desk, page_of):
    done = made(factories.captured, shop, 3_210)
    mine = public_id("mer", shop.merchant_id)
    listed = desk.open(f"/admin/events/?mode=test&merchant={mine}&name=capture.succeeded")
    assert "Capture succeeded" in listed.text and "€32.10" in listed.text
    assert "Authorisation succeeded" not in listed.text
    made(sequence.sequence)
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT id FROM events WHERE payment_id = :id AND name = 'capture.succeeded'")
        event_id = connection.execute(query, {"id": done.payment["id"]}).scalar_one()
    page = desk.open(f"/admin/events/{public_id('evt', event_id)}")
    for words in ("Capture succeeded", '"amount": 3210', "Merchant and staff", "Place in the log"):
        assert words in page.text
    assert "not sealed yet" not in page.text
    assert page_of(done) in page.html


def test_a_page_of_events_follows_another(desk, monkeypatch):
    first = desk.open("/admin/events/?mode=test")
    if 'rel="next"' in first.html:
        following = first.html.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        assert desk.open(f"/admin/events/{following}").status == 200
    assert desk.open("/admin/events/?after=evt_rubbish").status == 200


def test_personal_data_of_an_event_stands_apart(app, made, shop, desk):
    done = made(factories.authorised, shop)
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT id FROM events WHERE payment_id = :id AND name = 'payment.created'")
        event_id = connection.execute(query, {"id": done.payment["id"]}).scalar_one()
    page = desk.open(f"/admin/events/{public_id('evt', event_id)}")
    before, _, after = page.text.partition("Personal data")
    assert "erika@example.com" in after and "erika@example.com" not in before

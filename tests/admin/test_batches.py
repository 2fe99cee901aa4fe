"""Several payments at once, as the screens show them: preview, start, progress, stop."""

import pytest
from sqlalchemy import select, update

from app.batches.work import work
from app.core.db import ALL, atomic
from app.core.ids import parse_id, public_id
from app.payments.cancel import cancel
from app.staff.add import USERS
from app.staff.grant import GRANTS
from tests import factories
from tests.admin.desk import Desk, user
from tests.batches.conftest import rows_of


@pytest.fixture
def shop(made, acquirers):
    return made(factories.tenant, acquirers["A"])


@pytest.fixture
def five(app, shop):
    """Four that can be captured, of which the acquirer will refuse one, and one that was cancelled."""
    with app.app_context():
        amounts = (1_000, 2_000, 3_000, 66_01)
        found = [factories.authorised(shop, amount, merchant_reference=f"five-{amount}") for amount in amounts]
        gone = factories.authorised(shop, 500, merchant_reference="five-gone")
        cancel(merchant_id=shop.merchant_id, live=False, payment_id=gone.payment["id"], actor="test")
    return [*found, gone]


def preview(desk, verb, payments):
    query = "&".join(f"payment={public_id('pay', done.payment['id'])}" for done in payments)
    return desk.open(f"/admin/batches/{verb}?mode=test&{query}")


def narrowed(app, shop, email):
    """Somebody of the capture desk for that merchant alone, logged in."""
    with app.app_context():
        address = user("capture_desk", email=email)
        with atomic(ALL) as connection:
            user_id = select(USERS.c.id).where(USERS.c.email == address).scalar_subquery()
            connection.execute(update(GRANTS).where(GRANTS.c.user_id == user_id).values(merchants=[shop.merchant_id]))
    desk = Desk(app.test_client())
    desk.log_in(address)
    return desk


def run(app):
    with app.app_context():
        work(app, 1_000)


def test_the_preview_says_how_much_and_why_not(desk, five):
    page = preview(desk, "capture", five)
    assert "4 payments can be captured" in page.text and "EUR · 4 payments €126.01" in page.text
    assert "1 payment is left out" in page.text and "five-gone" in page.text
    assert "Nothing is left to capture." in page.text
    assert "Capture 4 payments" in page.text


def test_all_of_a_filter_is_the_list_of_that_filter(desk, five, shop):
    query = f"merchant={public_id('mer', shop.merchant_id)}&status=authorised&least=25&currency=EUR"
    page = desk.open(f"/admin/batches/capture?mode=test&every=1&{query}")
    assert "2 payments can be captured" in page.text


def test_nothing_chosen_says_what_to_do(desk):
    assert "No payment is chosen" in desk.open("/admin/batches/capture").text


def test_it_is_done_in_the_background_with_a_result_per_row(app, desk, five):
    page = preview(desk, "capture", five)
    started = desk.send(page, page.own_form, reason="goods sent")
    assert started.path.startswith("/admin/batches/bat_")
    assert "Under way" in started.text and 'data-refresh="2"' in started.html
    assert "1 of 5" in started.text, "what cannot be done is over at once"
    run(app)
    page = desk.open(started.path)
    assert "data-refresh" not in page.html and "5 of 5" in page.text
    assert "2 payments were not done" in page.text
    assert "Done 3" in page.text and "Not done 2" in page.text
    assert (
        "Several captured at once" in desk.open("/admin/batches/").text
        or "Captured" in desk.open("/admin/batches/").text
    )


def test_the_same_form_sent_twice_starts_one(app, desk, five):
    page = preview(desk, "capture", five)
    first, second = (desk.send(page, page.own_form) for _ in range(2))
    assert first.path == second.path
    with app.app_context():
        assert len(rows_of(parse_id("bat", first.path.rpartition("/")[2]))) == 5


def test_cancelling_needs_a_reason(desk, five):
    page = preview(desk, "cancel", five[:2])
    again = desk.send(page, page.own_form, reason="")
    assert again.errors == ["This is needed."]
    assert "2 payments can be cancelled" in again.text
    assert desk.send(again, again.own_form, reason="out of stock").path.startswith("/admin/batches/bat_")


def test_it_can_be_stopped(app, desk, five):
    page = preview(desk, "capture", five)
    started = desk.send(page, page.own_form)
    stopped = desk.send(started, started.form_to("/stop"))
    assert stopped.notes == ["Stopped. 4 payments are left as they were."]
    run(app)
    assert "Left as it was 4" in desk.open(started.path).text
    with app.app_context():
        assert [factories.fresh(done)["captured"] for done in five] == [0] * 5


def test_only_who_may_capture_does(app, desk, desks, five):
    assert preview(desks("support"), "capture", five).status == 403
    page = preview(desk, "capture", five)
    started = desk.send(page, page.own_form)
    of_support = desks("support").open(started.path)
    assert of_support.status == 200 and "/stop" not in of_support.html
    token = of_support.form_to("/admin/language").fields["csrf_token"]
    key = started.path.rpartition("/")[2]
    answer = desks("support").ask(f"/admin/batches/capture/{key}/stop", "POST", data={"csrf_token": token})
    assert answer.status_code == 403


def test_another_merchants_payments_cannot_be_chosen(app, made, acquirers, shop, five):
    """Row-level security: what a form names counts only for merchants that whoever sends it may do this for."""
    other = made(factories.tenant, acquirers["A"])
    theirs = made(factories.authorised, other, 9_000, merchant_reference="not-yours")
    desk = narrowed(app, shop, "narrow@batches.example")
    page = preview(desk, "capture", [five[0], theirs])
    assert "1 payment can be captured" in page.text and "not-yours" not in page.text
    rows = page.own_form.fields["rows"].replace("]]", f'], ["{public_id("pay", theirs.payment["id"])}", 9000]]')
    started = desk.send(page, page.own_form, rows=rows)
    with app.app_context():
        assert len(rows_of(parse_id("bat", started.path.rpartition("/")[2]))) == 1
    run(app)
    with app.app_context():
        assert factories.fresh(theirs)["captured"] == 0


@pytest.mark.parametrize(
    "wrong", ["merchant={theirs}", "merchant=mer_x", "status=nonsense", "least=abc", "currency=XXX"]
)
def test_a_filter_that_cannot_be_kept_to_is_never_dropped(app, made, acquirers, shop, five, wrong):
    """A colleague shares "merchant A, authorised"; whoever sees only merchant B must not capture B's instead."""
    theirs = public_id("mer", made(factories.tenant, acquirers["A"]).merchant_id)
    desk = narrowed(app, shop, f"{wrong[:8].strip(chr(61))}-{len(wrong)}@shared.example")
    query = f"mode=test&status=authorised&{wrong.format(theirs=theirs)}"
    listed = desk.open(f"/admin/payments/?{query}")
    assert "five-1000" not in listed.text and "No payment fits these filters" in listed.text
    assert 'class="filter on wrong"' in listed.html, "and the chip says so"
    refused = desk.open(f"/admin/batches/capture?every=1&{query}")
    assert refused.path.startswith("/admin/payments/?status=authorised&"), "the list as it was"
    assert refused.notes[0].startswith("A filter cannot be kept to: ")


def test_too_many_lead_back_to_the_list_and_never_to_where_one_came_from(desk, five, monkeypatch):
    monkeypatch.setattr("admin.batch_preview.MOST", 1)
    answer = desk.ask(
        "/admin/batches/capture?mode=test&every=1&currency=EUR&evil=1", headers={"Referer": "https://evil.example/x"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/payments/?currency=EUR")


@pytest.mark.parametrize("rows", ["{", "[1]", '[["x", 1]]', '[["{pay}", "z"]]', '[["{pay}", -1]]', "[" * 9_000, "{}1"])
def test_a_form_that_no_preview_has_shown_is_refused(desk, five, rows):
    page = preview(desk, "capture", five[:1])
    sent = desk.send(page, page.own_form, rows=rows.replace("{pay}", public_id("pay", five[0].payment["id"])))
    assert sent.status == 400 and "is not what a preview has shown" in sent.text

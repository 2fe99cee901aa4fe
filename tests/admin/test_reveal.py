"""What stands hidden on a page is shown once, to whoever may and says why; that is written down before."""

import pytest
from sqlalchemy import text

from admin.reveals.kinds import masked
from admin.screens import reveal
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id
from app.risk.take import take
from tests import factories

SECRET = "Geheimgasse 7"


@pytest.fixture
def answered(app, tenant):
    """A payment whose payer answered a risk check: its public id, and its id."""
    with app.app_context():
        done = factories.authorised(tenant)
        with atomic(of(tenant.merchant_id, False)) as connection:
            whose = {"merchant_id": tenant.merchant_id, "live": False, "payment_id": done.payment["id"]}
            take(connection, **whose, step="details", answer={"name": "Gerda Geheim", "street": SECRET})
    return public_id("pay", done.payment["id"]), done.payment["id"]


@pytest.fixture
def told(app):
    def read(payment_id):
        query = text("SELECT actor, data FROM events WHERE name = 'personal.revealed' AND subject_id = :id ORDER BY id")
        with app.app_context(), reading(ALL) as connection:
            return connection.execute(query, {"id": payment_id}).all()

    return read


def test_it_is_hidden_until_somebody_says_why(desk, answered, told):
    key, payment_id = answered
    page = desk.open(f"/admin/payments/{key}")
    assert "Street and house number" in page.text and SECRET not in page.html
    form = desk.open(f"/admin/reveal/answers/{key}")
    assert SECRET not in form.html
    assert "This is needed." in desk.send(form, form.own_form, reason=" ").text and told(payment_id) == []
    answer = desk.ask(f"/admin/reveal/answers/{key}", "POST", data={**form.own_form.fields, "reason": "bank asks"})
    assert SECRET in answer.get_data(as_text=True) and answer.headers["Cache-Control"] == "no-store"
    [event] = told(payment_id)
    assert event.data == {"payment": key, "what": "answers", "reason": "bank asks"}
    assert event.actor.startswith("staff:")
    assert SECRET not in desk.open(f"/admin/payments/{key}").html


def test_one_form_shows_it_once(desk, answered, told):
    key, payment_id = answered
    form = desk.open(f"/admin/reveal/answers/{key}").own_form
    fields = {**form.fields, "reason": "bank asks"}
    assert desk.ask(f"/admin/reveal/answers/{key}", "POST", data=fields).status_code == 200
    again = desk.ask(f"/admin/reveal/answers/{key}", "POST", data=fields)
    assert again.status_code == 303 and len(told(payment_id)) == 1


def test_what_cannot_be_written_down_is_not_shown(desk, answered, monkeypatch):
    def broken(*_arguments, **_more):
        raise RuntimeError("no room left")

    key, _payment_id = answered
    form = desk.open(f"/admin/reveal/answers/{key}")
    monkeypatch.setattr(reveal, "tell", broken)
    page = desk.send(form, form.own_form, reason="bank asks")
    assert page.status == 500 and SECRET not in page.html


def test_without_the_right_nobody_gets_there(desks, answered):
    key, _payment_id = answered
    assert desks("support").open(f"/admin/reveal/answers/{key}").status == 403
    assert "/admin/reveal/" not in desks("support").open(f"/admin/payments/{key}").html


@pytest.mark.parametrize("path", ["answers/pay_1", "nothing/pay_1", "kinds/pay_1"])
def test_what_is_not_there_is_not_found(desk, path):
    assert desk.open(f"/admin/reveal/{path}").status == 404


def test_a_payment_without_answers_has_nothing_to_show(desk, made, tenant):
    done = made(factories.authorised, tenant)
    assert desk.open(f"/admin/reveal/answers/{public_id('pay', done.payment['id'])}").status == 404


def test_long_numbers_keep_their_ends_and_short_ones_nothing():
    assert masked("DE89370400440532013000") == "DE•••••3000"
    assert masked("Erika Muster") == masked("1234") == "••••••"

"""What a preview of several payments says of limits, rules and who may approve, is what their run meets."""

from app.approvals.rules import add_rule
from app.core.db import ALL, atomic
from app.core.ids import uuid7
from app.core.limits import Limit
from app.staff.add import add_user
from app.staff.grant import Given
from tests import factories
from tests.admin.desk import PASSWORD, Desk
from tests.admin.test_batches import preview, run


def seated(app, given):
    """Somebody new with that grant, logged in."""
    email = f"{uuid7().hex[-12:]}@limits.example"
    with app.app_context(), atomic(ALL) as connection:
        add_user(connection, email=email, password=PASSWORD, roles=[given], name="", language="en", actor="test")
    desk = Desk(app.test_client())
    desk.log_in(email)
    return desk


def test_the_preview_says_what_will_wait_for_approval_and_what_nobody_may_approve(app, made, acquirers):
    """A limit at a time, one a day that is used up on the way, and a rule: what a run meets, seen before."""
    shop = made(factories.tenant, acquirers["A"])
    amounts = (1_000, 2_000, 2_500, 5_000)
    payments = [made(factories.authorised, shop, amount) for amount in amounts]
    limits = {"payment.capture": {"EUR": Limit(each=3_000, daily=4_000)}}
    desk = seated(app, Given("operator", None, limits))
    page = preview(desk, "capture", payments[:2])
    assert "needs somebody else’s approval" not in page.text
    page = preview(desk, "capture", payments[:3])
    assert "1 of them needs somebody else’s approval and waits for it." in page.text, "5,500 is more than a day's 4,000"
    assert "nobody else may approve" in page.text
    page = preview(desk, "capture", payments)
    assert "2 of them need somebody else’s approval" in page.text and "2 nobody else may approve" in page.text
    seated(app, Given("supervisor", None, {"payment.capture": {"EUR": Limit(each=3_000)}}))
    page = preview(desk, "capture", payments)
    assert "2 of them need somebody else’s approval" in page.text and "1 nobody else may approve" in page.text
    with app.app_context(), atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=shop.merchant_id, action="capture", currency="EUR", above=500)
    page = preview(desk, "capture", payments)
    assert "4 of them need somebody else’s approval" in page.text and "1 nobody else may approve" in page.text
    started = desk.send(page, page.own_form)
    run(app)
    page = desk.open(started.path)
    assert "Without a result yet 3" in page.text and "Not done 1" in page.text, "as the preview has said"

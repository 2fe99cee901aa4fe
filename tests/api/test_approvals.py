"""By API: what a key may move, and what waits for a second person."""

import pytest

from app.approvals import decide
from app.approvals.ask import REQUESTS
from app.approvals.rules import add_rule
from app.core.db import ALL, atomic, reading
from app.core.ids import parse_id
from app.core.limits import Limit
from app.merchants import keys
from app.staff.access import staff_of
from app.staff.add import add_user
from app.staff.datastore import StaffDatastore
from tests.api.conftest import Api, error_of


@pytest.fixture(scope="module")
def checker(app):
    with app.app_context():
        with atomic(ALL) as connection:
            user_id = add_user(
                connection,
                email="checker@example.com",
                password="ein-langes-passwort",
                roles=["supervisor"],
                actor="test",
            )
        return staff_of(StaffDatastore().find_user(id=user_id))


def limited(app, tenant, **limits) -> Api:
    with app.app_context(), atomic(ALL) as connection:
        _, secret = keys.issue(
            connection,
            merchant_id=tenant.merchant_id,
            live=False,
            name="limited",
            allowed={"payment.refund": {"EUR": Limit(**limits)}},
            actor="test",
        )
    return Api(app, tenant, secret)


def test_a_key_refunds_up_to_its_limit_and_no_further(app, tenant, checker):
    api = limited(app, tenant, each=1_000, daily=1_500)
    payment = api.pay(capture="automatic")
    path = f"/payments/{payment['id']}/refunds"
    assert error_of(api.post(path, {"amount": 1_001})) == (403, "over_limit", "amount")
    assert api.post(path, {"amount": 1_000}).status_code == 201
    assert error_of(api.post(path, {"amount": 501})) == (403, "over_limit", "amount"), "the day's total"
    assert api.post(path, {"amount": 500}).status_code == 201
    assert api.get(f"/payments/{payment['id']}").get_json()["amount_refunded"] == 1_500


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("capture", "captures", {"amount": 1_000}),
        ("refund", "refunds", {"amount": 1_000}),
        ("cancel", "cancel", {}),
    ],
)
def test_every_command_of_a_key_is_done_at_its_limit_and_refused_above(app, tenant, checker, verb, path, body):
    for limit, status in ((1_000, (200, 201)), (999, (403,))):
        with app.app_context(), atomic(ALL) as connection:
            _, secret = keys.issue(
                connection,
                merchant_id=tenant.merchant_id,
                live=False,
                name="limited",
                allowed={f"payment.{verb}": {"EUR": Limit(each=limit)}},
                actor="test",
            )
        payment = Api(app, tenant, tenant.key).pay(1_000, capture="automatic" if verb == "refund" else "manual")
        answer = Api(app, tenant, secret).post(f"/payments/{payment['id']}/{path}", body)
        assert answer.status_code in status, answer.get_json()
        pending = Api(app, tenant, tenant.key).get(f"/payments/{payment['id']}").get_json()["amount_pending"]
        assert pending == 0


def test_by_rule_a_refund_waits_and_its_status_says_so(app, tenant, checker):
    api = Api(app, tenant, tenant.key)
    with app.app_context(), atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="refund", currency="EUR", above=1_000)
    payment = api.pay(capture="automatic")
    path = f"/payments/{payment['id']}/refunds"
    asked = api.once("refund-1").post(path, {"amount": 1_200, "reason": "broken"})
    assert (asked.status_code, asked.get_json()["status"]) == (202, "pending_approval")
    again = api.once("refund-1").post(path, {"amount": 1_200, "reason": "broken"})
    assert (again.status_code, again.get_json()["id"]) == (202, asked.get_json()["id"])
    now_ = api.get(f"/payments/{payment['id']}").get_json()
    assert (now_["amount_refunded"], now_["amount_pending"]) == (0, 1_200)
    assert error_of(api.post(path, {"amount": 1_100}))[:2] == (409, "already_asked")
    with app.app_context():
        with reading(ALL) as connection:
            query = REQUESTS.select().where(REQUESTS.c.payment_id == parse_id("pay", payment["id"]))
            request = connection.execute(query).mappings().one()
        assert (request["maker"].partition(":")[0], request["reason"]) == ("key", "broken")
        decide.approve(request["id"], checker, scope=ALL)
    done = api.once("refund-1").post(path, {"amount": 1_200, "reason": "broken"})
    assert (done.status_code, done.get_json()["status"]) == (201, "succeeded")
    assert api.get(f"/payments/{payment['id']}").get_json()["amount_refunded"] == 1_200

"""By API: what a key may move, and what waits for a second person."""

from datetime import date, timedelta

import pytest

from app.api._pictures import PendingApproval
from app.api._spec import description
from app.approvals import decide
from app.approvals.ask import REQUESTS
from app.approvals.rules import add_rule, remove_rule
from app.core.db import ALL, atomic, reading
from app.core.ids import parse_id
from app.core.limits import Limit
from app.merchants import keys
from app.staff.access import staff_of
from app.staff.add import add_user
from app.staff.datastore import StaffDatastore
from app.staff.grant import Given
from tests.api.conftest import Api, by_card, error_of, fits, order


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


def key_with(app, tenant, *permissions, **limits) -> Api:
    """`limits`: those for captures in EUR."""
    with app.app_context(), atomic(ALL) as connection:
        allowed = {"payment.capture": {"EUR": Limit(**limits)}} if limits else {}
        whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        _, secret = keys.issue(connection, name="made", permissions=permissions, allowed=allowed, **whose)
    return Api(app, tenant, secret)


SCHEDULED = {"capture": "scheduled", "capture_on": str(date.today() + timedelta(days=2))}
CREATES = ("payment.create", "checkout.create", "payment.read")


@pytest.mark.parametrize("path", ["/payments", "/checkouts"])
@pytest.mark.parametrize(
    "terms", [{"capture": "automatic"}, {"capture": "scheduled", "capture_on": str(date.today() + timedelta(days=2))}]
)
def test_a_key_that_may_not_capture_makes_nothing_that_captures_itself(app, tenant, path, terms):
    api = key_with(app, tenant, *CREATES)
    assert error_of(api.post(path, order(1_000, **terms))) == (403, "capture_not_permitted", "capture")
    assert api.post(path, order(1_000)).status_code == 201
    assert key_with(app, tenant, *CREATES, "payment.capture").post(path, order(1_000, **terms)).status_code == 201


def test_nor_does_it_confirm_what_would_capture_itself(app, tenant):
    payment = Api(app, tenant, tenant.key).post("/payments", order(1_000, capture="automatic")).get_json()
    path, means = f"/payments/{payment['id']}/confirm", {"payment_method": by_card()}
    api = key_with(app, tenant, *CREATES)
    assert error_of(api.post(path, means)) == (403, "capture_not_permitted", "capture")
    assert api.get(f"/payments/{payment['id']}").get_json()["status"] == "created"


def test_limits_for_captures_hold_for_what_captures_itself(app, tenant):
    api = key_with(app, tenant, *CREATES, "payment.capture", each=1_000, daily=1_500)
    automatic = order(1_000, capture="automatic", payment_method=by_card())
    assert error_of(api.post("/payments", {**automatic, "amount": 1_001})) == (403, "over_limit", "amount")
    paid = api.post("/payments", automatic)
    assert (paid.status_code, paid.get_json()["status"]) == (201, "captured")
    assert error_of(api.post("/payments", automatic)) == (403, "over_limit", "amount"), "the day's total"
    assert error_of(api.post("/checkouts", order(501, capture="automatic"))) == (403, "over_limit", "amount")
    assert api.post("/payments", order(5_000)).status_code == 201, "by hand it is not yet a capture"


def test_a_key_that_may_not_cancel_gives_no_rest_back(app, tenant):
    api, payment = key_with(app, tenant, *CREATES, "payment.capture"), Api(app, tenant, tenant.key).pay(10_000)
    path = f"/payments/{payment['id']}/captures"
    assert error_of(api.post(path, {"amount": 1, "final": True})) == (403, "rest_not_yours", "final")
    now_ = api.get(f"/payments/{payment['id']}").get_json()
    assert (now_["amount_captured"], now_["amount_pending"]) == (0, 0)
    assert api.post(path, {"amount": 1}).status_code == 201


class TestEndpoints:
    """Where webhooks go can need a second person, by API as in the back office."""

    URL = "https://listening.example/hooks"

    @pytest.fixture
    def rule(self, app, tenant, checker):
        with app.app_context(), atomic(ALL) as connection:
            rule_id = add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="endpoint")
            roles = [Given("merchant_owner", frozenset({tenant.merchant_id}))]
            terms = {"password": "ein-langes-passwort", "roles": roles, "actor": "test"}
            user_id = add_user(connection, email=f"owner-{rule_id.hex[-9:]}@example.com", **terms)
        with app.app_context():
            self.owner = staff_of(StaffDatastore().find_user(id=user_id))
        yield
        with app.app_context(), atomic(ALL) as connection:
            remove_rule(connection, rule_id, actor="test")

    def decided(self, app, asked, decision, **more):
        with app.app_context():
            return decision(parse_id("apr", asked["id"]), self.owner, scope=ALL, **more)

    def test_a_new_one_is_there_once_approved_and_its_secret_is_for_who_asked(self, app, tenant, api, rule):
        sent = {"url": self.URL}
        first = api.once("hook-9").post("/webhook_endpoints", sent)
        asked = fits(PendingApproval, first)
        assert (first.status_code, asked["status"]) == (202, "pending_approval")
        assert self.URL not in api.get("/webhook_endpoints").text
        again = api.once("hook-9").post("/webhook_endpoints", sent)
        assert (again.status_code, again.get_json()) == (202, asked)
        self.decided(app, asked, decide.approve)
        made = api.once("hook-9").post("/webhook_endpoints", sent)
        assert made.status_code == 201 and made.get_json()["secret"].startswith("whsec_")
        assert "secret" not in api.once("hook-9").post("/webhook_endpoints", sent).get_json(), "it is shown once"
        assert self.URL in api.get("/webhook_endpoints").text

    def test_after_a_no_the_same_request_says_so(self, app, api, rule):
        asked = api.once("hook-10").post("/webhook_endpoints", {"url": self.URL}).get_json()
        self.decided(app, asked, decide.reject, note="who is that?")
        refused = api.once("hook-10").post("/webhook_endpoints", {"url": self.URL})
        assert error_of(refused) == (409, "not_approved", None)

    def test_it_goes_elsewhere_once_approved_and_the_rest_is_changed_at_once(self, app, api, endpoint, rule):
        path = f"/webhook_endpoints/{endpoint['id']}"
        assert api.patch(path, {"events": ["refund.succeeded"]}).get_json()["events"] == ["refund.succeeded"]
        answer = api.patch(path, {"url": "https://elsewhere.example/hooks"})
        assert answer.status_code == 202
        assert api.get(path).get_json()["url"] == endpoint["url"]
        self.decided(app, fits(PendingApproval, answer), decide.approve)
        assert api.get(path).get_json()["url"] == "https://elsewhere.example/hooks"

    def test_its_secret_is_rotated_once_approved(self, app, api, endpoint, rule):
        path = f"/webhook_endpoints/{endpoint['id']}/rotate_secret"
        asked = fits(PendingApproval, api.once("rotate-1").post(path))
        assert api.get(f"/webhook_endpoints/{endpoint['id']}").get_json()["old_secret_valid_until"] is None
        self.decided(app, asked, decide.approve)
        rotated = api.once("rotate-1").post(path).get_json()
        assert rotated["secret"].startswith("whsec_") and rotated["secret"] != endpoint["secret"]

    @pytest.fixture
    def endpoint(self, api):
        return api.post("/webhook_endpoints", {"url": "https://before.example/hooks"}).get_json()

    def test_it_is_described(self, app):
        with app.app_context():
            paths = description()["paths"]
        for path, method in (
            ("/v1/webhook_endpoints", "post"),
            ("/v1/webhook_endpoints/{endpoint_id}", "patch"),
            ("/v1/webhook_endpoints/{endpoint_id}/rotate_secret", "post"),
        ):
            schema = paths[path][method]["responses"]["202"]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/PendingApproval"}

"""Every address of the back office with every role: allowed or refused as it declares."""

import pytest
from sqlalchemy import text

from admin import personal
from admin.guard import declared
from app.approvals.rules import add_rule
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.staff.access import permissions_of
from app.staff.make_role import add_role
from app.staff.permissions import PERMISSIONS, SELF, expand
from app.staff.roles import ROLES
from tests.admin.belongings import belongings
from tests.admin.desk import Desk, user

ROLE_NAMES = sorted(ROLES)


def ours(app):
    """(rule, method) of everything below /admin."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and rule.endpoint != "office.static"
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]


@pytest.fixture(scope="module")
def things(app, tenant):
    """One of each, so that an address that is allowed finds what it asks for: kind of screen -> public id."""
    with app.app_context():
        of_merchant = belongings(tenant)
        with atomic(ALL) as connection:
            rule_id = add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="cancel")
            add_role(connection, label="Cashier", description="", permissions=["payment.read"], actor="test")
        someone = user("support", email="walked@example.com")
        with reading(ALL) as connection:
            query = text("SELECT id FROM staff_users WHERE email = :e")
            user_id = connection.execute(query, {"e": someone}).scalar_one()
    return {
        **of_merchant,
        **dict.fromkeys(("users", "user_access", "grants"), public_id("usr", user_id)),
        "payment_desk": "flt_none",
        "login_safety": "ses_none",
        "passkeys": "7",
        "roles": "cashier",
        "approval_rules": public_id("rul", rule_id),
        "jobs": "no-such-job",
        "figures": "volume",
    }


def address(rule, things):
    screen = rule.endpoint.partition(".")[0].removeprefix("office_")
    path = rule.rule.replace("<id>", things.get(screen, ""))
    path = path.replace("<int:number>", "0").replace("<kind>", "answers")
    path = path.replace("<document>", things.get("document", "doc_none"))
    return f"{path}?merchant={things['merchants']}" if path.endswith(("/add", "/issue")) else path


def test_every_address_declares_what_it_takes(app):
    undeclared = [rule.rule for rule, _ in ours(app) if declared(app, rule.endpoint) is None]
    assert undeclared == []


def test_what_is_declared_exists(app):
    known = {*PERMISSIONS, SELF, "public"}
    assert {declared(app, rule.endpoint) for rule, _ in ours(app)} <= known


def test_every_permission_is_asked_for_somewhere(app):
    asked = {declared(app, rule.endpoint) for rule, _ in ours(app)} | {personal.PERMISSION}
    assert set(PERMISSIONS) - asked == set()


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_role_gets_where_it_may_and_nowhere_else(app, desks, things, role):
    desk = desks(role)
    may = expand(ROLES[role].permissions) | {SELF, "public"}
    wrong = []
    for rule, method in ours(app):
        if rule.endpoint == "security.logout":
            continue  # the other addresses need the session
        answer = desk.ask(address(rule, things), method)
        allowed = declared(app, rule.endpoint) in may
        refused = answer.status_code == 403
        if allowed == refused or answer.status_code >= 500:
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


def test_without_a_log_in_every_address_leads_to_it(app, things):
    desk = Desk(app.test_client())
    wrong = []
    for rule, method in ours(app):
        if declared(app, rule.endpoint) == "public":
            continue
        answer = desk.ask(address(rule, things), method)
        if answer.status_code != 302 or not answer.headers["Location"].startswith("/admin/login"):
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


def test_an_address_that_declares_nothing_is_refused_to_everybody(app, desks, monkeypatch):
    monkeypatch.delattr(app.view_functions["office_books.index"].__func__, "permission")
    assert desks("admin").open("/admin/books/").status == 403


def test_nothing_is_done_without_the_token_of_a_form(app, desk, things):
    wrong = [
        (rule.rule, answer.status_code)
        for rule, method in ours(app)
        if method == "POST" and rule.endpoint != "security.login"
        for answer in [desk.ask(address(rule, things), "POST", data={"csrf_token": "made up"})]
        if answer.status_code != 400
    ]
    assert wrong == []


def test_the_api_and_the_hosted_pages_need_no_token(app, tenant):
    client = app.test_client()
    order = {"amount": 500, "currency": "EUR", "merchant_reference": "walk"}
    assert client.post("/v1/payments", json=order, headers=tenant.headers).status_code in (200, 201, 422)
    assert client.post("/pay/nothing").status_code == 404


def test_what_a_role_may_not_do_is_not_shown(desks, things):
    page = f"/admin/payments/{things['payments']}"
    support, operator = desks("support").open(page), desks("operator").open(page)
    assert "/capture" not in support.html and "/refund" not in support.html and "/cancel" not in support.html
    assert "/capture" in operator.html and "/cancel" in operator.html
    assert "/admin/users/" not in support.html and "/admin/users/" in desks("admin").open(page).html
    assert "/change" not in desks("support").open(f"/admin/merchants/{things['merchants']}").html


@pytest.mark.parametrize(
    "path",
    [
        *(
            "payments/pay_xyz",
            "payments/pay_00000000000000000000000000",
            "payments/%00",
            "payments/mer_1",
            "payments/'",
        ),
        *(
            "payments/pay_0000000000000000000000000u",
            "payments/pay_zzzzzzzzzzzzzzzzzzzzzzzzzz/refund",
            "disputes/dsp_1",
        ),
        *("merchants/mer_x", "merchants/mer_00000000000000000000000000/change", "shops/shp_1", "shops/shp_1/logo"),
        *("shops/add?merchant=x", "contracts/ctr_1", "contracts/add?merchant=mer_1", "keys/issue", "keys/key_1/rotate"),
        *(
            "endpoints/whe_1",
            "endpoints/add",
            "deliveries/dlv_1",
            "events/evt_1",
            "users/usr_1",
            "users/7",
            "no-such-page",
        ),
    ],
)
def test_an_id_that_is_none_of_ours_is_not_found(desk, path):
    page = desk.open(f"/admin/{path}")
    assert page.status == 404
    assert "id" in page.text or "address" in page.text


def test_made_roles_grant_what_their_row_says():
    made = permissions_of("cashier", ["payment.*", "nonsense"], None)
    assert made == {name for name in PERMISSIONS if name.startswith("payment.")}
    assert "payment.refund" not in permissions_of("support", ["*"], None), "a shipped role is what the code says"

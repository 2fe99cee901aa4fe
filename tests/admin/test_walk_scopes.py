"""Every address of the back office with every role granted for one merchant only: its own things, and a stranger's.

And every action that moves money, by every role that may, below and above its limit.
"""

import pytest

from admin.guard import declared
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.core.limits import Limit
from app.messages.endpoints import add_endpoint, send_test
from app.risk import block
from app.staff.add import add_user
from app.staff.grant import Given
from app.staff.permissions import EVERYWHERE, SELF, expand
from app.staff.roles import ROLES
from tests import factories
from tests.admin.desk import PASSWORD, Desk
from tests.admin.test_walk import ROLE_NAMES, address, ours
from tests.admin.waiting import waiting

LIMITS = {f"payment.{verb}": {"EUR": Limit(each=50_00)} for verb in ("capture", "refund", "cancel")}


def belongings(tenant):
    """One thing of the merchant's of every kind that an address names: screen -> public id."""
    payment = factories.authorised(tenant, 5_000)
    with atomic(ALL) as connection:
        endpoint_id, _ = add_endpoint(
            connection, merchant_id=tenant.merchant_id, live=False, url="http://127.0.0.1:9/in", actor="test"
        )
        delivery_id = send_test(connection, endpoint_id=endpoint_id, actor="test")
        who = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        address_ = block.email(f"{delivery_id}@example.org")
        entry_id = block.block(connection, **who, blocked=address_, reason="chargebacks")
    return {
        "payments": public_id("pay", payment.payment["id"]),
        "payment_actions": public_id("pay", payment.payment["id"]),
        **dict.fromkeys(("merchants", "onboarding", "methods", "ceilings"), public_id("mer", tenant.merchant_id)),
        "blocks": public_id("blk", entry_id),
        "shops": public_id("shp", tenant.shop_id),
        "contracts": public_id("ctr", tenant.contract_id),
        "keys": public_id("key", tenant.key_id),
        "endpoints": public_id("whe", endpoint_id),
        "deliveries": public_id("dlv", delivery_id),
        "approvals": public_id("apr", waiting(tenant)),
    }


@pytest.fixture(scope="module")
def stranger(app, acquirers):
    """Another merchant's things."""
    with app.app_context():
        return belongings(factories.tenant(acquirers["A"]))


@pytest.fixture(scope="module")
def seat(app, tenant, stranger):
    """seat("operator"): somebody with that role for this one merchant, with limits. One per role."""
    seated = {}

    def sit(role):
        if role not in seated:
            with app.app_context(), atomic(ALL) as connection:
                add_user(
                    connection,
                    email=f"scoped.{role}@example.com",
                    password=PASSWORD,
                    roles=[Given(role, frozenset({tenant.merchant_id}), LIMITS)],
                    name=role,
                    language="en",
                    actor="test",
                )
            seated[role] = Desk(app.test_client())
            assert seated[role].log_in(f"scoped.{role}@example.com").status == 200
        return seated[role]

    return sit


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_strangers_things_do_not_exist(app, seat, stranger, role):
    desk, wrong = seat(role), []
    token = desk.open("/admin/account/").form("name").fields["csrf_token"]
    for rule, method in ours(app):
        screen = rule.endpoint.partition(".")[0].removeprefix("office_")
        if "<id>" not in rule.rule or screen not in stranger:
            continue
        data = {"csrf_token": token} if method == "POST" else None
        answer = desk.ask(address(rule, stranger), method, data=data)
        if answer.status_code not in (403, 404):
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_for_one_merchant_a_role_gets_what_concerns_it_and_nothing_that_concerns_all(app, seat, tenant, role):
    with app.app_context():
        own = belongings(tenant)
    desk, wrong = seat(role), []
    may = (expand(ROLES[role].permissions) - EVERYWHERE) | {SELF, "public"}
    for rule, method in ours(app):
        screen = rule.endpoint.partition(".")[0].removeprefix("office_")
        if method != "GET" or (("<" in rule.rule) and screen not in own):
            continue
        answer = desk.ask(address(rule, own), method)
        if (declared(app, rule.endpoint) in may) == (answer.status_code == 403) or answer.status_code >= 500:
            wrong.append((rule.rule, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_lists_show_nothing_of_a_stranger(seat, stranger, role):
    desk = seat(role)
    for path in (
        "payments/",
        "merchants/",
        "shops/",
        "contracts/",
        "keys/",
        "endpoints/",
        "deliveries/",
        "blocks/",
        "ceilings/",
        "search/?q=order",
    ):
        page = desk.open(f"/admin/{path}")
        assert page.status in (200, 403), path
        assert not [one for one in stranger.values() if one in page.html], path


MOVING = [(role, verb) for role in ROLE_NAMES for verb in ("capture", "refund", "cancel")]
MOVING = [(role, verb) for role, verb in MOVING if f"payment.{verb}" in expand(ROLES[role].permissions)]


@pytest.mark.parametrize(("role", "verb"), MOVING)
def test_below_the_limit_it_is_done_and_above_it_waits(made, tenant, seat, role, verb):
    desk = seat(role)
    for amount, waits in ((50_00, 0), (50_01, 50_01)):
        make = factories.captured if verb == "refund" else factories.authorised
        payment = made(make, tenant, amount)
        path = f"/admin/payments/{public_id('pay', payment.payment['id'])}"
        page = desk.open(f"{path}/{verb}")
        if verb == "cancel":
            after = desk.send(page, page.form("reason"), reason="test")
        else:
            checked = desk.send(page, page.form("amount"), reason="test")
            after = desk.send(checked, checked.form("amount"), reason="test") if not checked.notes else checked
        assert after.path == path, (after.path, after.errors, after.notes)
        fresh = made(factories.fresh, payment)
        assert fresh[f"{verb}_pending"] == waits, after.notes


@pytest.mark.parametrize("role", sorted(set(ROLE_NAMES) - {role for role, _ in MOVING}))
def test_who_may_not_move_money_does_not(made, tenant, seat, role):
    payment = made(factories.captured, tenant, 10_00)
    path = f"/admin/payments/{public_id('pay', payment.payment['id'])}"
    for verb in ("capture", "refund", "cancel"):
        assert seat(role).open(f"{path}/{verb}").status == 403

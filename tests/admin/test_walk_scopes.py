"""Every address of the back office with every role granted for one merchant only: its own things, and a stranger's.

And every action that moves money, by every role that may, below and above its limit.
"""

import pytest

from admin.guard import declared
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.core.limits import Limit
from app.staff.add import add_user
from app.staff.grant import Given
from app.staff.permissions import EVERYWHERE, SELF, expand
from app.staff.roles import ROLES
from tests import factories
from tests.admin.belongings import OF_NOBODY, belongings
from tests.admin.desk import PASSWORD, Desk
from tests.admin.test_walk import ROLE_NAMES, address, ours

LIMITS = {f"payment.{verb}": {"EUR": Limit(each=50_00)} for verb in ("capture", "refund", "cancel")}


@pytest.fixture(scope="module")
def stranger(app, acquirers):
    """Another merchant's things."""
    with app.app_context():
        return belongings(factories.tenant(acquirers["A"]))


@pytest.fixture(scope="module")
def own(app, tenant):
    with app.app_context():
        return belongings(tenant)


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


def screen_of(rule):
    return rule.endpoint.partition(".")[0].removeprefix("office_")


# What is added for a merchant that the address names.
ADDED_FOR = ("shops", "contracts", "keys", "endpoints", "blocks")


def of_a_merchant(app):
    """(rule, method) of what an address names of a merchant's: by its id, or by `?merchant=`."""
    for rule, method in ours(app):
        by_id = "<id>" in rule.rule and screen_of(rule) not in OF_NOBODY
        for_one = rule.rule.endswith(("/add", "/issue")) and screen_of(rule) in ADDED_FOR
        if by_id or for_one:
            yield rule, method


def _offered(answer):
    """The page without its own address, which says what was asked for."""
    return answer.get_data(as_text=True).replace(answer.request.query_string.decode(), "")


def test_every_screen_about_something_of_a_merchants_is_walked(app, stranger):
    named = {screen_of(rule) for rule, _method in ours(app) if "<id>" in rule.rule}
    assert named - OF_NOBODY == set(stranger) - {"document"}


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_strangers_things_do_not_exist(app, seat, stranger, role):
    desk, wrong = seat(role), []
    token = desk.open("/admin/account/").form("name").fields["csrf_token"]
    for rule, method in of_a_merchant(app):
        data = {"csrf_token": token} if method == "POST" else None
        answer = desk.ask(address(rule, stranger), method, data=data)
        is_empty = "<id>" not in rule.rule and answer.status_code == 200  # a form in which one's own can be chosen
        if is_empty and not any(one in _offered(answer) for one in stranger.values()):
            continue
        if answer.status_code not in (403, 404):
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_for_one_merchant_a_role_gets_what_concerns_it_and_nothing_that_concerns_all(app, seat, own, role):
    desk, wrong = seat(role), []
    may = (expand(ROLES[role].permissions) - EVERYWHERE) | {SELF, "public"}
    for rule, method in ours(app):
        if method != "GET" or ("<" in rule.rule and screen_of(rule) not in own):
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

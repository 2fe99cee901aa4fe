"""Grants: a role, for some merchants or all, up to how much."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, Scope, atomic, reading
from app.core.ids import uuid7
from app.core.limits import NOTHING, Allowance, BadLimit, Limit
from app.staff.access import Grant, Staff, staff_of
from app.staff.add import add_user
from app.staff.change import LastAdministrator, change_roles
from app.staff.datastore import StaffDatastore
from app.staff.grant import Given, MerchantNeeded, held
from app.staff.make_role import PermissionNeeded, RoleExists, RoleInUse, add_role, change_role, remove_role
from app.staff.permissions import EVERYWHERE

OURS, THEIRS = uuid7(), uuid7()
REFUNDS = {"payment.refund": {"EUR": Limit(100_00, 500_00)}}


def staff(*grants: Grant) -> Staff:
    return Staff(uuid7(), "erika@example.com", "Erika", "de", "Europe/Berlin", grants)


def grant(*permissions, merchants=None, limits=None) -> Grant:
    return Grant("made up", frozenset(permissions), merchants, limits or {})


def test_a_grant_for_one_merchant_is_none_for_another():
    erika = staff(grant("payment.refund", merchants=frozenset({OURS})))
    assert erika.may("payment.refund") and erika.may("payment.refund", OURS)
    assert not erika.may("payment.refund", THEIRS)
    assert erika.scope("payment.refund") == Scope(frozenset({OURS}), None)


def test_several_grants_add_up_each_for_its_own_merchants():
    erika = staff(
        grant("payment.read", merchants=frozenset({OURS, THEIRS})),
        grant("payment.refund", merchants=frozenset({OURS}), limits=REFUNDS),
    )
    assert erika.scope("payment.read").merchants == {OURS, THEIRS}
    assert erika.scope("payment.refund").merchants == {OURS}
    ours = frozenset({OURS})
    assert erika.limits("payment.refund", OURS, "EUR") == (Allowance(Limit(100_00, 500_00), ours),)
    assert erika.limits("payment.refund", THEIRS, "EUR") == ()
    assert erika.limits("payment.refund", OURS, "CHF") == (Allowance(NOTHING, ours),)


def test_who_may_nothing_sees_nothing():
    assert staff().scope("payment.read") == Scope(frozenset(), None)
    assert staff(grant("payment.read")).scope("payment.read") == ALL


@pytest.mark.usefixtures("context")
class TestStored:
    def test_what_was_granted_is_what_they_have(self):
        user_id = _added([Given("operator", frozenset({OURS}), REFUNDS), "support"])
        erika = staff_of(StaffDatastore().find_user(id=user_id))
        allowed = (Allowance(Limit(100_00, 500_00), frozenset({OURS})),)
        assert erika.limits("payment.refund", OURS, "EUR") == allowed
        assert erika.may("payment.read", THEIRS) and not erika.may("payment.refund", THEIRS)
        assert erika.roles == ("operator", "support")

    def test_what_concerns_no_merchant_needs_a_grant_over_all(self):
        user_id = _added([Given("admin", frozenset({OURS}))])
        erika = staff_of(StaffDatastore().find_user(id=user_id))
        assert erika.may("payment.refund", OURS)
        assert not erika.permissions & EVERYWHERE

    def test_changes_are_told_with_before_and_after(self):
        user_id = _added(["support"])
        with atomic(ALL) as connection:
            change_roles(connection, user_id, [Given("refund_desk", None, REFUNDS)], actor="test")
        with reading(ALL) as connection:
            assert held(connection, user_id) == [Given("refund_desk", None, REFUNDS)]
            query = text("SELECT data FROM events WHERE subject_id = :id AND name = 'staff.roles_changed'")
            data = connection.execute(query, {"id": user_id}).scalar_one()
        assert data["before"] == [{"role": "support", "merchants": "all", "limits": {}}]
        assert data["after"][0]["limits"] == {"payment.refund": {"EUR": {"each": 100_00, "daily": 500_00}}}

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            (Given("support", frozenset()), MerchantNeeded),
            (Given("support", None, {"payment.refund": {"EUR": Limit(0)}}), BadLimit),
        ],
    )
    def test_a_grant_that_makes_no_sense_changes_nothing(self, given, refusal):
        user_id = _added(["support"])
        with pytest.raises(refusal), atomic(ALL) as connection:
            change_roles(connection, user_id, [given], actor="test")
        with reading(ALL) as connection:
            assert held(connection, user_id) == [Given("support")]

    def test_the_last_administrator_over_everything_stays_one(self):
        with atomic(ALL) as connection:
            connection.execute(text("DELETE FROM staff_grants"))
        only = _added(["admin"])
        with pytest.raises(LastAdministrator), atomic(ALL) as connection:
            change_roles(connection, only, [Given("admin", frozenset({OURS}))], actor="test")

    def test_a_role_is_made_changed_and_removed(self):
        with atomic(ALL) as connection:
            name = add_role(connection, label="Käse & Wein", description="", permissions=["payment.read"], actor="test")
        assert name == "kaese_wein"
        user_id = _added([name])
        assert staff_of(StaffDatastore().find_user(id=user_id)).permissions == {"payment.read"}
        with atomic(ALL) as connection:
            change_role(
                connection, name, label="Käse", description="", permissions=["dispute.read", "nonsense"], actor="test"
            )
        assert staff_of(StaffDatastore().find_user(id=user_id)).permissions == {"dispute.read"}
        with pytest.raises(RoleInUse), atomic(ALL) as connection:
            remove_role(connection, name, actor="test")
        with atomic(ALL) as connection:
            change_roles(connection, user_id, ["support"], actor="test")
            remove_role(connection, name, actor="test")
        with reading(ALL) as connection:
            query = text("SELECT name FROM events WHERE subject_type = 'staff_role' ORDER BY id")
            assert list(connection.execute(query).scalars()) == [
                *("staff_role.added", "staff_role.changed", "staff_role.removed")
            ]

    @pytest.mark.parametrize(
        ("label", "permissions", "refusal"),
        [
            ("Admin", ["payment.read"], RoleExists),
            ("Leer", [], PermissionNeeded),
            ("Leer", ["nonsense"], PermissionNeeded),
            ("!!", ["payment.read"], RoleExists),
        ],
    )
    def test_a_role_that_cannot_be_is_refused(self, label, permissions, refusal):
        with pytest.raises(refusal), atomic(ALL) as connection:
            add_role(connection, label=label, description="", permissions=permissions, actor="test")


def _added(roles):
    with atomic(ALL) as connection:
        email = f"{uuid7().hex[-12:]}@example.com"
        return add_user(connection, email=email, password="ein-langes-passwort", roles=roles, actor="test")

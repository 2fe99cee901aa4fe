"""Adding staff, changing them, and what their roles grant."""

import pytest
from sqlalchemy import select, text

from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.core.ids import public_id, uuid7
from app.staff import change
from app.staff.access import staff_of
from app.staff.add import USERS, BadEmail, EmailTaken, WeakPassword, add_user
from app.staff.datastore import StaffDatastore
from app.staff.grant import STAFF_ROLES, RoleNeeded, UnknownRole
from app.staff.permissions import PERMISSIONS, expand
from app.staff.roles import ROLES

pytestmark = pytest.mark.usefixtures("context")

PASSWORD = "ein-langes-passwort"


def added(role="support", email=None, **more):
    with atomic(ALL) as connection:
        email = email or f"{uuid7().hex[-12:]}@example.com"
        return add_user(connection, email=email, password=PASSWORD, roles=[role], actor="test", **more)


def told(user_id):
    with reading(ALL) as connection:
        query = text("SELECT name FROM events WHERE subject_id = :id ORDER BY id")
        return list(connection.execute(query, {"id": user_id}).scalars())


def row(user_id):
    with reading(ALL) as connection:
        return connection.execute(select(USERS).where(USERS.c.id == user_id)).mappings().one()


def test_a_user_is_kept_with_a_hash_and_told_of_without_a_name():
    user_id = added(email=" Erika@Example.com ", name="Erika")
    user = row(user_id)
    assert user["email"] == "erika@example.com"
    assert user["password"].startswith("$argon2id$") and PASSWORD not in user["password"]
    assert told(user_id) == ["staff.added"]
    with reading(ALL) as connection:
        data = connection.execute(
            text("SELECT data::text FROM events WHERE subject_id = :id"), {"id": user_id}
        ).scalar_one()
    assert "erika" not in data.lower()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"email": "nobody"}, BadEmail),
        ({"email": ""}, BadEmail),
        ({"password": "elf-zeichen"}, WeakPassword),
        ({"password": "somebody@example.com"}, WeakPassword),
        ({"roles": ["emperor"]}, UnknownRole),
        ({"roles": []}, RoleNeeded),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_kept(changes, refusal):
    given = {"email": "somebody@example.com", "password": PASSWORD, "roles": ["support"], **changes}
    with pytest.raises(refusal), atomic(ALL) as connection:
        add_user(connection, actor="test", **given)
    with reading(ALL) as connection:
        assert connection.execute(select(USERS).where(USERS.c.email == "somebody@example.com")).first() is None


def test_an_address_is_taken_once_however_it_is_written():
    added(email="twice@example.com")
    with pytest.raises(EmailTaken):
        added(email="TWICE@example.com")


def test_what_a_role_grants_comes_from_the_code():
    user = StaffDatastore().find_user(email=row(added("operator"))["email"])
    staff = staff_of(user)
    assert staff.may("payment.refund") and not staff.may("user.write") and not staff.may("no.such.permission")
    assert staff.actor == f"staff:{public_id('usr', user.id)}"
    assert staff.permissions == expand(ROLES["operator"].permissions)


def test_shipped_roles_name_only_permissions_that_exist():
    for role in ROLES.values():
        for pattern in role.permissions:
            assert expand([pattern]), pattern
    assert expand(ROLES["admin"].permissions) == set(PERMISSIONS)
    moving = {"payment.capture", "payment.refund", "payment.cancel", "payment.correct"}
    for role in ("support", "accountant", "merchant_viewer"):
        assert not expand(ROLES[role].permissions) & moving


def test_roles_are_replaced_and_told_with_before_and_after():
    user_id = added("support")
    with atomic(ALL) as connection:
        change.change_roles(connection, user_id, ["operator"], actor="test")
    assert told(user_id) == ["staff.added", "staff.roles_changed"]
    with atomic(ALL) as connection:
        change.change_roles(connection, user_id, ["operator"], actor="test")
    assert told(user_id) == ["staff.added", "staff.roles_changed"], "no change, nothing told"


def test_the_last_administrator_stays():
    with reading(ALL) as connection:
        assert connection.execute(select(STAFF_ROLES.c.id).where(STAFF_ROLES.c.name == "admin")).first() is None
    only = added("admin")
    with pytest.raises(change.LastAdministrator), atomic(ALL) as connection:
        change.change_roles(connection, only, ["support"], actor="test")
    with pytest.raises(change.LastAdministrator), atomic(ALL) as connection:
        change.set_active(connection, only, False, actor="test")
    second = added("admin")
    with atomic(ALL) as connection:
        change.set_active(connection, second, False, actor="test")
    with pytest.raises(change.LastAdministrator), atomic(ALL) as connection:
        change.set_active(connection, only, False, actor="test")
    assert row(only)["active"] and not row(second)["active"]


def test_nobody_deactivates_themselves():
    user_id = added("support")
    with pytest.raises(change.OwnAccount), atomic(ALL) as connection:
        change.set_active(connection, user_id, False, actor=f"staff:{public_id('usr', user_id)}")


def test_deactivation_and_a_new_password_end_sessions():
    user_id = added()
    sessions = [row(user_id)["fs_uniquifier"]]
    with atomic(ALL) as connection:
        change.set_active(connection, user_id, False, actor="test")
    sessions.append(row(user_id)["fs_uniquifier"])
    with atomic(ALL) as connection:
        change.set_password(connection, user_id, "ganz-andere-worte", actor="test")
    sessions.append(row(user_id)["fs_uniquifier"])
    assert len(set(sessions)) == 3
    assert told(user_id) == ["staff.added", "staff.deactivated", "staff.password_changed"]


def test_nobody_is_not_found():
    for attempt in (
        lambda c: change.change_user(c, uuid7(), {"name": "x"}, actor="test"),
        lambda c: change.set_active(c, uuid7(), False, actor="test"),
        lambda c: change.set_password(c, uuid7(), PASSWORD, actor="test"),
        lambda c: change.change_roles(c, uuid7(), ["admin"], actor="test"),
    ):
        with pytest.raises(NotFound), atomic(ALL) as connection:
            attempt(connection)


def test_users_of_the_datastore_belong_to_no_session():
    """A change that Flask-Security makes must not be flushed by somebody else's query."""
    user = StaffDatastore().find_user(email=row(added())["email"])
    assert user is not None
    user.login_count = 99
    user_id = user.id
    assert row(user_id)["login_count"] is None
    store = StaffDatastore()
    store.put(user)
    store.commit()
    assert row(user_id)["login_count"] == 99


def test_only_what_flask_security_may_write_is_written():
    store = StaffDatastore()
    user = store.find_user(email=row(added())["email"])
    assert user is not None
    user.active, user.login_count = False, 3
    store.put(user)
    store.commit()
    assert row(user.id)["active"] and row(user.id)["login_count"] == 3

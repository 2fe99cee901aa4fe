"""Changes to staff members: name, roles, language, password, deactivation."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from flask_security.utils import hash_password
from sqlalchemy import Connection, func, select, update

from app.core.clock import now
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.core.texts import N_
from app.staff.add import USERS, check_password
from app.staff.grant import GRANTS, STAFF_ROLES, Given, give, given, held

_ADMIN = "admin"
_LOCK = 7_230_101  # whoever changes roles or activity waits for the others: see LastAdministrator


class LastAdministrator(Conflict):
    code = "last_administrator"
    message = N_("This is the last active administrator.")
    advice = N_("Give another user the administrator role first.")


class OwnAccount(Conflict):
    code = "own_account"
    message = N_("You cannot deactivate your own account.")
    advice = N_("Ask another administrator to do it.")


def change_user(connection: Connection, user_id: UUID, values: Mapping[str, Any], *, actor: str) -> None:
    """Changes name, language or timezone of a user. Raises NotFound."""
    assert set(values) <= {"name", "language", "timezone"}, values
    before = _locked(connection, user_id)
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        connection.execute(update(USERS).where(USERS.c.id == user_id).values(changed))
        personal = {"before": {name: before[name] for name in changed}, "after": changed}
        _told("staff.changed", user_id, actor, {"changed": sorted(changed)}, personal)


def change_roles(connection: Connection, user_id: UUID, roles: Sequence[Given | str], *, actor: str) -> None:
    """Raises NotFound, LastAdministrator and what give() raises."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    _locked(connection, user_id)
    before, after = held(connection, user_id), given(roles)
    if before == after:
        return
    give(connection, user_id, after)
    if any(map(_is_administrator, before)) and not any(map(_is_administrator, after)):
        _keep_an_administrator(connection)
    told = {"before": [one.told() for one in before], "after": [one.told() for one in after]}
    _told("staff.roles_changed", user_id, actor, told)


def _is_administrator(one: Given) -> bool:
    return one.role == _ADMIN and one.merchants is None


def set_active(connection: Connection, user_id: UUID, active: bool, *, actor: str) -> None:
    """Deactivating ends every session at once. Raises NotFound, OwnAccount, LastAdministrator."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    before = _locked(connection, user_id)
    if before["active"] == active:
        return
    if not active and actor == f"staff:{public_id('usr', user_id)}":
        raise OwnAccount()
    connection.execute(update(USERS).where(USERS.c.id == user_id).values(active=active, fs_uniquifier=uuid4().hex))
    if not active and any(map(_is_administrator, held(connection, user_id))):
        _keep_an_administrator(connection)
    _told("staff.activated" if active else "staff.deactivated", user_id, actor, {})


def set_password(connection: Connection, user_id: UUID, password: str, *, actor: str) -> None:
    """A new password; ends every session and lifts a lock-out. Raises NotFound, WeakPassword."""
    before = _locked(connection, user_id)
    check_password(password, before["email"])
    values = {
        "password": hash_password(password),
        "password_set_at": now(),
        "fs_uniquifier": uuid4().hex,
        "failed_logins": 0,
        "locked_until": None,
    }
    connection.execute(update(USERS).where(USERS.c.id == user_id).values(values))
    _told("staff.password_changed", user_id, actor, {})


def _locked(connection: Connection, user_id: UUID) -> Mapping[str, Any]:
    row = connection.execute(select(USERS).where(USERS.c.id == user_id).with_for_update()).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


def _keep_an_administrator(connection: Connection) -> None:
    left = connection.execute(
        select(func.count())
        .select_from(USERS)
        .join(GRANTS, GRANTS.c.user_id == USERS.c.id)
        .join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id)
        .where(USERS.c.active, STAFF_ROLES.c.name == _ADMIN, GRANTS.c.merchants.is_(None))
    ).scalar_one()
    if left == 0:
        raise LastAdministrator()


def _told(
    name: str, user_id: UUID, actor: str, data: Mapping[str, Any], details: Mapping[str, Any] | None = None
) -> None:
    tell(
        name,
        subject=("staff", user_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"user": public_id("usr", user_id), **data},
        details=details,
        actor=actor,
    )

"""Roles made in the screen: a name people read, and permissions. Shipped ones are in roles.py."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.core.db import savepoint
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import uuid7
from app.core.texts import N_
from app.staff.grant import GRANTS, STAFF_ROLES
from app.staff.permissions import PERMISSIONS
from app.staff.roles import ROLES


class RoleExists(Conflict):
    code = "role_exists"
    message = N_("There is a role with this name already.")


class RoleInUse(Conflict):
    code = "role_in_use"
    message = N_("%(count)s users hold this role.")
    advice = N_("Give them another role first.")


class PermissionNeeded(Refusal):
    code = "permission_needed"
    message = N_("Choose at least one.")


def add_role(connection: Connection, *, label: str, description: str, permissions: Sequence[str], actor: str) -> str:
    """Returns the role's short name. Raises RoleExists, PermissionNeeded."""
    name, chosen = _short(label), _checked(permissions)
    if not name or name in ROLES:
        raise RoleExists(param="label")
    try:
        with savepoint():
            values = {"name": name, "label": label, "description": description, "permissions": chosen}
            connection.execute(insert(STAFF_ROLES).values(values))
    except IntegrityError:
        raise RoleExists(param="label") from None
    _told("staff_role.added", name, actor, {"after": values})
    return name


def change_role(
    connection: Connection, name: str, *, label: str, description: str, permissions: Sequence[str], actor: str
) -> None:
    """Whoever holds it may do the new things, and no longer the old, with the next click. Raises NotFound."""
    before, chosen = _locked(connection, name), _checked(permissions)
    values = {"label": label, "description": description, "permissions": chosen}
    connection.execute(update(STAFF_ROLES).where(STAFF_ROLES.c.name == name).values(values))
    _told("staff_role.changed", name, actor, {"before": before, "after": values})


def remove_role(connection: Connection, name: str, *, actor: str) -> None:
    """Raises NotFound, RoleInUse."""
    before = _locked(connection, name)
    users = holders(connection, name)
    if users:
        raise RoleInUse(count=len(users))
    connection.execute(delete(STAFF_ROLES).where(STAFF_ROLES.c.name == name))
    _told("staff_role.removed", name, actor, {"before": before})


def holders(connection: Connection, name: str) -> frozenset[UUID]:
    """Ids of the users who hold a role, for whatever merchants."""
    query = select(GRANTS.c.user_id).join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id)
    return frozenset(connection.execute(query.where(STAFF_ROLES.c.name == name)).scalars())


def read_role(connection: Connection, name: str) -> dict[str, Any]:
    """Label, description and permissions, under lock. Raises NotFound, also for shipped ones."""
    return _locked(connection, name)


def _locked(connection: Connection, name: str) -> dict[str, Any]:
    """What it is until now."""
    told = (STAFF_ROLES.c.label, STAFF_ROLES.c.description, STAFF_ROLES.c.permissions)
    row = connection.execute(select(*told).where(STAFF_ROLES.c.name == name).with_for_update()).mappings().first()
    if row is None or name in ROLES:
        raise NotFound()
    return dict(row)


def _checked(permissions: Sequence[str]) -> list[str]:
    chosen = sorted(set(permissions) & set(PERMISSIONS))
    if not chosen:
        raise PermissionNeeded(param="permissions")
    return chosen


def _short(label: str) -> str:
    """`Bücher & Käse` -> `buecher_kaese`."""
    german = label.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    plain = unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()
    return "_".join(re.findall("[a-z0-9]+", plain))[:60]


def _told(name: str, role: str, actor: str, data: dict[str, object]) -> None:
    tell(
        name,
        subject=("staff_role", uuid7()),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"role": role, **data},
        actor=actor,
    )

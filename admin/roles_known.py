"""Roles by name: those that are shipped and those made in the screen."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import g
from flask_babel import gettext as _
from sqlalchemy import RowMapping, select

from admin.here import connection
from app.staff.grant import STAFF_ROLES
from app.staff.permissions import PERMISSIONS, expand
from app.staff.roles import ROLES
from app.staff.second_factor import role_needs


@dataclass(frozen=True, slots=True)
class Known:
    label: str
    description: str
    permissions: frozenset[str]
    shipped: bool
    second_factor: bool  # holders need one

    @property
    def allowed(self) -> list[str]:
        """What it may do, in words."""
        return [_(text) for name, text in PERMISSIONS.items() if name in self.permissions]


def roles() -> Mapping[str, Known]:
    """Shipped ones first; read once per request."""
    if "roles_known" not in g:
        rows = connection().execute(select(STAFF_ROLES).order_by(STAFF_ROLES.c.label)).mappings().all()
        needs = {row["name"]: row["second_factor"] for row in rows}
        shipped = {
            name: Known(
                _(role.label), _(role.description), expand(role.permissions), True, role_needs(name, needs.get(name))
            )
            for name, role in ROLES.items()
        }
        own = {row["name"]: _own(row) for row in rows if row["name"] not in ROLES}
        g.roles_known = {**shipped, **own}
    return g.roles_known


def _own(row: RowMapping) -> Known:
    permissions = expand(row["permissions"] or ())
    label, description = row["label"] or row["name"], row["description"] or ""
    return Known(label, description, permissions, False, role_needs(row["name"], row["second_factor"]))


def name_of(role: str) -> str:
    known = ROLES.get(role)
    if known:
        return _(known.label)
    found = roles().get(role)
    return found.label if found else role

"""`give()`: which roles a user holds, for which merchants and up to how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.core import limits
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Refusal
from app.core.ids import parse_id, public_id, uuid7
from app.core.limits import Limits
from app.core.texts import N_
from app.staff.models import Grant, Role
from app.staff.roles import ROLES

GRANTS, STAFF_ROLES = table_of(Grant), table_of(Role)


class UnknownRole(Refusal):
    code = "unknown_role"
    message = N_("There is no role %(role)s.")


class RoleNeeded(Refusal):
    code = "role_needed"
    message = N_("Choose at least one role.")


class MerchantNeeded(Refusal):
    code = "merchant_needed"
    message = N_("Choose the merchants this role is for, or all.")


@dataclass(frozen=True, slots=True)
class Given:
    """A role to be given. `merchants` None: for all, also those to come."""

    role: str
    merchants: frozenset[UUID] | None = None
    limits: Limits = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As events and approvals carry it."""
        merchants = "all" if self.merchants is None else sorted(public_id("mer", one) for one in self.merchants)
        return {"role": self.role, "merchants": merchants, "limits": limits.to_json(self.limits)}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Given":
        """The reverse of `told()`."""
        names = told["merchants"]
        merchants = None if names == "all" else frozenset(parse_id("mer", one) for one in names)
        return cls(told["role"], merchants, limits.of_json(told["limits"]))


def given(roles: Sequence[Given | str]) -> list[Given]:
    """A bare name means: for all merchants, without limits."""
    return [Given(one) if isinstance(one, str) else one for one in roles]


def give(connection: Connection, user_id: UUID, roles: Sequence[Given]) -> None:
    """Replaces a user's grants. Shipped roles get their row when first given.

    Raises UnknownRole, RoleNeeded, MerchantNeeded, BadLimit, UnknownCurrency.
    """
    if not roles:
        raise RoleNeeded(param="roles")
    rows = [_row(connection, user_id, one) for one in roles]
    connection.execute(delete(GRANTS).where(GRANTS.c.user_id == user_id))
    connection.execute(insert(GRANTS), rows)


def held(connection: Connection, user_id: UUID) -> list[Given]:
    """What a user holds, in the order in which it was given."""
    query = (
        select(GRANTS.c.merchants, GRANTS.c.limits, STAFF_ROLES.c.name)
        .join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id)
        .where(GRANTS.c.user_id == user_id)
        .order_by(GRANTS.c.id)
    )
    return [
        Given(row.name, None if row.merchants is None else frozenset(row.merchants), limits.of_json(row.limits))
        for row in connection.execute(query)
    ]


def _row(connection: Connection, user_id: UUID, one: Given) -> Mapping[str, Any]:
    if one.merchants is not None and not one.merchants:
        raise MerchantNeeded(param="roles")
    limits.check(one.limits)
    return {
        "id": uuid7(),
        "user_id": user_id,
        "role_id": _role_id(connection, one.role),
        "merchants": None if one.merchants is None else sorted(one.merchants),
        "limits": limits.to_json(one.limits),
        "granted_at": now(),
    }


def _role_id(connection: Connection, name: str) -> int:
    if name in ROLES:
        connection.execute(upsert(STAFF_ROLES).values(name=name).on_conflict_do_nothing())
    found = connection.execute(select(STAFF_ROLES.c.id).where(STAFF_ROLES.c.name == name)).scalar()
    if found is None:
        raise UnknownRole(role=name, param="roles")
    return found

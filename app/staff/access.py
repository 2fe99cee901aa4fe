"""Who is asking, and what they may do: a snapshot taken once per request, independent of any session."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.core import limits
from app.core.db import Scope
from app.core.ids import public_id
from app.core.limits import Allowance, Allowances, Limits
from app.staff import models
from app.staff.models import User
from app.staff.permissions import EVERYWHERE, SELF, expand
from app.staff.roles import ROLES

NOBODY = Scope(merchants=frozenset(), live=None)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role somebody holds. `merchants` None: over all of them."""

    role: str
    permissions: frozenset[str]
    merchants: frozenset[UUID] | None
    limits: Limits

    def covers(self, permission: str, merchant_id: UUID | None) -> bool:
        """`merchant_id` None: for any merchant at all."""
        return permission in self.permissions and (
            self.merchants is None or merchant_id is None or merchant_id in self.merchants
        )


@dataclass(frozen=True, slots=True)
class Staff:
    """A logged-in staff member."""

    id: UUID
    email: str
    name: str
    language: str
    timezone: str
    grants: tuple[Grant, ...]

    @property
    def actor(self) -> str:
        """As written to operations and events: an id, so that nobody's name is in what is kept for ever."""
        return f"staff:{public_id('usr', self.id)}"

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted({grant.role for grant in self.grants}))

    @property
    def permissions(self) -> frozenset[str]:
        """What they may do for one merchant at least."""
        return frozenset[str]().union(*(grant.permissions for grant in self.grants))

    def may(self, permission: str, merchant_id: UUID | None = None) -> bool:
        """`merchant_id` None: for any merchant at all."""
        return permission == SELF or any(grant.covers(permission, merchant_id) for grant in self.grants)

    def scope(self, permission: str) -> Scope:
        """Whose rows they see while they do this."""
        if permission == SELF:
            return NOBODY
        found = [grant.merchants for grant in self.grants if permission in grant.permissions]
        if None in found:
            return Scope(merchants=None, live=None)
        return Scope(merchants=frozenset[UUID]().union(*(one for one in found if one is not None)), live=None)

    def limits(self, permission: str, merchant_id: UUID, currency: str) -> Allowances:
        """What each of their grants allows; one alone has to be enough. Empty where they may not do it at all."""
        return tuple(
            Allowance(limits.limit_of(grant.limits, permission, currency), grant.merchants)
            for grant in self.grants
            if grant.covers(permission, merchant_id)
        )


def staff_of(user: User) -> Staff:
    """The snapshot of a user whose grants and roles are loaded."""
    return Staff(
        id=user.id,
        email=user.email,
        name=user.name or user.email,
        language=user.language,
        timezone=user.timezone,
        grants=tuple(grant_of(grant) for grant in user.grants),
    )


def grant_of(grant: "models.Grant") -> Grant:
    merchants = None if grant.merchants is None else frozenset(grant.merchants)
    permissions = permissions_of(grant.role.name, grant.role.permissions, merchants)
    return Grant(grant.role.name, permissions, merchants, limits.of_json(grant.limits))


def permissions_of(role: str, own: Iterable[str] | None, merchants: frozenset[UUID] | None) -> frozenset[str]:
    """What a role grants. `own`: what its row says; of a shipped role counts what the code says."""
    shipped = ROLES.get(role)
    found = expand(shipped.permissions if shipped else own or ())
    return found if merchants is None else found - EVERYWHERE

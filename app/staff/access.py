"""Who is asking, and what they may do: a snapshot taken once per request, independent of any session."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.core.db import ALL, Scope
from app.core.ids import public_id
from app.staff.models import Role, User
from app.staff.permissions import SELF, expand
from app.staff.roles import ROLES


@dataclass(frozen=True, slots=True)
class Staff:
    """A logged-in staff member. `permissions` are plain names; `scope` is whose rows they see."""

    id: UUID
    email: str
    name: str
    language: str
    timezone: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    scope: Scope = ALL

    @property
    def actor(self) -> str:
        """As written to operations and events: an id, so that nobody's name is in what is kept for ever."""
        return f"staff:{public_id('usr', self.id)}"

    def may(self, permission: str) -> bool:
        return permission == SELF or permission in self.permissions


def staff_of(user: User) -> Staff:
    """The snapshot of a user whose roles are loaded."""
    return Staff(
        id=user.id,
        email=user.email,
        name=user.name or user.email,
        language=user.language,
        timezone=user.timezone,
        roles=tuple(sorted(role.name for role in user.roles)),
        permissions=granted(user.roles),
    )


def granted(roles: Iterable[Role]) -> frozenset[str]:
    """Everything that one of the roles grants."""
    return expand(pattern for role in roles for pattern in _patterns(role))


def _patterns(role: Role) -> Iterable[str]:
    shipped = ROLES.get(role.name)
    return shipped.permissions if shipped else role.permissions or ()

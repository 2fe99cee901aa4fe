"""Who may do something, asked the other way round: not what somebody may do, but who there is."""

from uuid import UUID

from sqlalchemy import Connection, select

from app.core.limits import of_json
from app.staff.access import Grant, Staff, permissions_of
from app.staff.add import USERS
from app.staff.grant import GRANTS, STAFF_ROLES
from app.staff.second_factor import has_one, role_needs


def holders(connection: Connection, permission: str, merchant_id: UUID) -> list[Staff]:
    """A merchant's own people who may do this; if there are none, those who may do it for every merchant."""
    able = [one for one in active(connection) if one.may(permission, merchant_id)]
    own = [one for one in able if one.scope(permission).merchants is not None]
    return own or able


def ready(connection: Connection) -> list[Staff]:
    """Those of active() who could do it this minute: they have the second factor that their roles ask for."""
    return _active(connection, ready=True)


def active(connection: Connection) -> list[Staff]:
    """Active users with their grants, in one query: only those who have accepted their invitation."""
    return _active(connection, ready=False)


def _active(connection: Connection, *, ready: bool) -> list[Staff]:
    query = (
        select(
            *(USERS.c[name] for name in ("id", "email", "name", "language", "timezone")),
            GRANTS.c.merchants,
            GRANTS.c.limits,
            STAFF_ROLES.c.name.label("role"),
            STAFF_ROLES.c.permissions,
            STAFF_ROLES.c.second_factor,
            has_one(USERS.c.id).label("has_factor"),
        )
        .join(GRANTS, GRANTS.c.user_id == USERS.c.id)
        .join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id)
        .where(USERS.c.active, USERS.c.password_set_at.is_not(None))
        .order_by(USERS.c.id, GRANTS.c.id)
    )
    found: dict[UUID, Staff] = {}
    kept_out = set[UUID]()
    for row in connection.execute(query):
        if ready and role_needs(row.role, row.second_factor) and not row.has_factor:
            kept_out.add(row.id)
        merchants = None if row.merchants is None else frozenset(row.merchants)
        grant = Grant(row.role, permissions_of(row.role, row.permissions, merchants), merchants, of_json(row.limits))
        known = found.get(row.id)
        grants = (*(known.grants if known else ()), grant)
        found[row.id] = Staff(row.id, row.email, row.name or row.email, row.language, row.timezone, grants)
    return [one for one in found.values() if one.id not in kept_out]

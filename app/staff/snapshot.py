"""`snapshot()`: who a user is and what they may do now, for work in the background that was asked for earlier."""

from uuid import UUID

from sqlalchemy import Connection, select

from app.core.limits import of_json
from app.staff.access import Grant, Staff, permissions_of
from app.staff.add import USERS
from app.staff.grant import GRANTS, STAFF_ROLES


def snapshot(connection: Connection, user_id: UUID) -> Staff | None:
    """None: there is no such user any more, or they were deactivated."""
    user = connection.execute(select(USERS).where(USERS.c.id == user_id, USERS.c.active)).mappings().first()
    if user is None:
        return None
    held = connection.execute(
        select(GRANTS.c.merchants, GRANTS.c.limits, STAFF_ROLES.c.name, STAFF_ROLES.c.permissions)
        .join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id)
        .where(GRANTS.c.user_id == user_id)
    )
    grants = []
    for row in held:
        merchants = None if row.merchants is None else frozenset[UUID](row.merchants)
        permissions = permissions_of(row.name, row.permissions, merchants)
        grants.append(Grant(row.name, permissions, merchants, of_json(row.limits)))
    return Staff(
        id=user_id,
        email=user["email"],
        name=user["name"] or user["email"],
        language=user["language"],
        timezone=user["timezone"],
        grants=tuple(grants),
    )

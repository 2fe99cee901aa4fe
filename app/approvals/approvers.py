"""Who may decide: staff with the right to approve, the right to do it themselves, and a limit that is high enough."""

from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals.actions import ACTIONS
from app.core.limits import of_json
from app.staff.access import Grant, Staff, permissions_of
from app.staff.add import USERS
from app.staff.grant import GRANTS, STAFF_ROLES

DECIDE = "approval.decide"


def may_decide(
    checker: Staff,
    action: str,
    maker: str,
    merchant_id: UUID | None,
    amount: int | None = None,
    currency: str | None = None,
) -> bool:
    """`merchant_id` None: what concerns no single merchant; only who may decide over all of them."""
    if checker.actor == maker:
        return False
    needed = (DECIDE, ACTIONS[action].PERMISSION)
    if merchant_id is None:
        return all(checker.scope(one).merchants is None for one in needed)
    if not all(checker.may(one, merchant_id) for one in needed):
        return False
    if amount is None or currency is None:
        return True
    limit = checker.limit(ACTIONS[action].PERMISSION, merchant_id, currency)
    return limit.each is None or amount <= limit.each


def approvers(
    connection: Connection,
    action: str,
    maker: str,
    merchant_id: UUID | None,
    amount: int | None = None,
    currency: str | None = None,
) -> list[Staff]:
    """Everybody who could decide about this now."""
    return [one for one in _active(connection) if may_decide(one, action, maker, merchant_id, amount, currency)]


def _active(connection: Connection) -> list[Staff]:
    """Active users with their grants, in one query."""
    query = (
        select(
            *(USERS.c[name] for name in ("id", "email", "name", "language", "timezone")),
            GRANTS.c.merchants,
            GRANTS.c.limits,
            STAFF_ROLES.c.name.label("role"),
            STAFF_ROLES.c.permissions,
        )
        .join(GRANTS, GRANTS.c.user_id == USERS.c.id)
        .join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id)
        .where(USERS.c.active)
        .order_by(USERS.c.id, GRANTS.c.id)
    )
    found: dict[UUID, Staff] = {}
    for row in connection.execute(query):
        merchants = None if row.merchants is None else frozenset(row.merchants)
        grant = Grant(row.role, permissions_of(row.role, row.permissions, merchants), merchants, of_json(row.limits))
        known = found.get(row.id)
        grants = (*(known.grants if known else ()), grant)
        found[row.id] = Staff(row.id, row.email, row.name or row.email, row.language, row.timezone, grants)
    return list(found.values())

"""Who may decide: staff with the right to approve, the right to do it themselves, and a limit that is high enough.

Nobody decides who is too close: whoever asked, was shown the secret of the key that asked, or gains by it.
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals import rules
from app.approvals.actions import ACTIONS
from app.approvals.kinds import Request, asker_of
from app.core.errors import NotFound
from app.core.ids import parse_id, public_id
from app.core.limits import of_json
from app.merchants import keys
from app.staff.access import Grant, Staff, permissions_of
from app.staff.add import USERS
from app.staff.grant import GRANTS, STAFF_ROLES
from app.staff.second_factor import has_one, role_needs

DECIDE = "approval.decide"
REST = "payment.cancel"  # what a last capture gives back besides (`rest` of its params)


def may_decide(connection: Connection, checker: Staff, request: Request) -> bool:
    """`request`: a row of approval_requests, or what one would be. Without a merchant: only who may decide over all."""
    return checker.actor not in involved(connection, request) and _may(connection, checker, request)


def approvers(connection: Connection, request: Request) -> list[Staff]:
    """Everybody who could decide about this now."""
    close = involved(connection, request)
    return [one for one in _active(connection) if one.actor not in close and _may(connection, one, request)]


def involved(connection: Connection, request: Request) -> frozenset[str]:
    """Actors who are too close to decide."""
    maker = request["maker"]
    gaining = ACTIONS[request["action"]].gains(connection, request)
    key_id = key_of(maker)
    seen = keys.seen_by(connection, key_id) if key_id else frozenset[str]()
    return frozenset({maker, *seen, *(f"staff:{public_id('usr', one)}" for one in gaining)})


def key_of(actor: str) -> UUID | None:
    """The key behind an actor; None for people and jobs."""
    kind, _, public = actor.partition(":")
    try:
        return parse_id("key", public) if kind == "key" else None
    except NotFound:
        return None


def moved(request: Request) -> Iterator[tuple[str, int]]:
    """Permissions whose limits hold for a request, each with its minor units."""
    if request["amount"] is not None:
        yield ACTIONS[request["action"]].PERMISSION, request["amount"]
    if request["params"].get("rest"):
        yield REST, request["params"]["rest"]


def _may(connection: Connection, checker: Staff, request: Request) -> bool:
    needed = {DECIDE, ACTIONS[request["action"]].PERMISSION, *(permission for permission, _amount in moved(request))}
    if request["merchant_id"] is None:
        return all(checker.scope(one).merchants is None for one in needed)
    if not all(checker.may(one, request["merchant_id"]) for one in needed):
        return False
    asker = asker_of(checker)
    return not any(
        rules.over_limit(connection, asker, permission, request, amount, lock=False)
        for permission, amount in moved(request)
    )


def _active(connection: Connection) -> list[Staff]:
    """Active users with their grants, in one query: only those who can log in and do it."""
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
        if role_needs(row.role, row.second_factor) and not row.has_factor:
            kept_out.add(row.id)
        merchants = None if row.merchants is None else frozenset(row.merchants)
        grant = Grant(row.role, permissions_of(row.role, row.permissions, merchants), merchants, of_json(row.limits))
        known = found.get(row.id)
        grants = (*(known.grants if known else ()), grant)
        found[row.id] = Staff(row.id, row.email, row.name or row.email, row.language, row.timezone, grants)
    return [one for one in found.values() if one.id not in kept_out]

"""Who may decide: staff with the right to approve, the right to do it themselves, and a limit that is high enough.

Nobody decides who is too close: whoever asked, was shown the secret of the key that asked, or gains by it.
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection

from app.approvals import rules
from app.approvals.actions import ACTIONS
from app.approvals.kinds import Request, asker_of
from app.core.errors import NotFound
from app.core.ids import parse_id, public_id
from app.merchants import keys
from app.staff.access import Staff
from app.staff.holders import ready

DECIDE = "approval.decide"
REST = "payment.cancel"  # what a last capture gives back besides (`rest` of its params)


def may_decide(connection: Connection, checker: Staff, request: Request) -> bool:
    """`request`: a row of approval_requests, or what one would be. Without a merchant: only who may decide over all."""
    return checker.actor not in involved(connection, request) and _may(connection, checker, request)


def approvers(connection: Connection, request: Request) -> list[Staff]:
    """Everybody who could decide about this now."""
    close = involved(connection, request)
    return [one for one in ready(connection) if one.actor not in close and _may(connection, one, request)]


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

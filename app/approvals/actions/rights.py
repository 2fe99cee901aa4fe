"""Change what a user may do."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.staff.change import change_roles
from app.staff.grant import Given, held

LABEL = N_("Rights of a user")
PERMISSION = "user.write"
RULE = "rights"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """What they hold now."""
    return {"held": [one.told() for one in held(connection, request["subject_id"])]}


def gains(connection: Connection, request: Request) -> frozenset[UUID]:
    """The user themselves."""
    return frozenset({request["subject_id"]})


def start(connection: Connection, request: Request) -> Started:
    wanted = [Given.of(one) for one in request["params"]["after"]]
    change_roles(connection, request["subject_id"], wanted, actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import rights as _me

    _: Action = _me

"""Let somebody in again whose account was deactivated."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import check, drop, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.staff.add import USERS
from app.staff.change import set_active
from app.staff.grant import held

LABEL = N_("Reactivation of a user")
PERMISSION = "user.write"
RULE = "rights"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """Whether they are out, and what they would have again."""
    active = connection.execute(select(USERS.c.active).where(USERS.c.id == request["subject_id"])).scalar()
    return {"active": active, "held": [one.told() for one in held(connection, request["subject_id"])]}


def gains(connection: Connection, request: Request) -> frozenset[UUID]:
    """The user themselves."""
    return frozenset({request["subject_id"]})


def start(connection: Connection, request: Request) -> Started:
    set_active(connection, request["subject_id"], True, actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import reactivation as _me

    _: Action = _me

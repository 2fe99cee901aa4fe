"""Ask the holders of a role for no second factor any more."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.staff.second_factor import STAFF_ROLES, ask_of_role

LABEL = N_("A role without a second factor")
PERMISSION = "role.write"
RULE = "rights"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """What was chosen for it until now."""
    query = select(STAFF_ROLES.c.second_factor).where(STAFF_ROLES.c.name == request["params"]["role"])
    return {"second_factor": connection.execute(query).scalar()}


def start(connection: Connection, request: Request) -> Started:
    ask_of_role(connection, request["params"]["role"], False, actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import role_factor as _me

    _: Action = _me

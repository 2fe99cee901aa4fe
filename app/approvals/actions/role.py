"""Change what a role allows: everybody who holds it may do that with the next click."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.staff.make_role import change_role, holders, read_role

LABEL = N_("What a role may do")
PERMISSION = "role.write"
RULE = "rights"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """What it is until now, and whose."""
    holding = sorted(str(one) for one in holders(connection, request["params"]["role"]))
    return {**read_role(connection, request["params"]["role"]), "holders": holding}


def gains(connection: Connection, request: Request) -> frozenset[UUID]:
    """Whoever holds it."""
    return holders(connection, request["params"]["role"])


def start(connection: Connection, request: Request) -> Started:
    asked = request["params"]
    after = {name: asked[name] for name in ("label", "description", "permissions")}
    change_role(connection, asked["role"], **after, actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import role as _me

    _: Action = _me

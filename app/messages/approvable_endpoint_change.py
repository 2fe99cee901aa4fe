"""Another address for a webhook endpoint, as something that can be approved (put on the shelf by reactions.py).

Whoever sees what is told of payments is chosen with it, as much as with a new endpoint.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.messages.endpoints import change_endpoint, held

LABEL = N_("Change of a webhook endpoint")
PERMISSION = "endpoint.write"
RULE = "endpoint"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """What it is until now. Raises NotFound."""
    row = held(connection, request["subject_id"])
    return {name: row[name] for name in ("url", "description", "events", "active")}


def start(connection: Connection, request: Request) -> Started:
    after = request["params"]["after"]
    change_endpoint(connection, endpoint_id=request["subject_id"], actor=request["maker"], **after)
    return Started()


if TYPE_CHECKING:
    from app.messages import approvable_endpoint_change as _me

    _: Action = _me

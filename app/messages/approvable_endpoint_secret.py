"""A new secret for a webhook endpoint, as something that can be approved (put on the shelf by reactions.py)."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.messages.endpoints import held, rotate_secret

LABEL = N_("New secret of a webhook endpoint")
PERMISSION = "endpoint.write"
RULE = "endpoint"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """Where it is; whether its secret was changed meanwhile. Raises NotFound."""
    row = held(connection, request["subject_id"])
    until = row["old_secret_until"]
    return {"url": row["url"], "old_secret_until": until and until.isoformat()}


def start(connection: Connection, request: Request) -> Started:
    return Started(secret=rotate_secret(connection, endpoint_id=request["subject_id"], actor=request["maker"]))


if TYPE_CHECKING:
    from app.messages import approvable_endpoint_secret as _me

    _: Action = _me

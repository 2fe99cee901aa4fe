"""A new webhook endpoint, as something that can be asked for and approved (put on the shelf by reactions.py)."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.messages.endpoints import add_endpoint

LABEL = N_("Webhook endpoint")
PERMISSION = "endpoint.write"
RULE = "endpoint"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """A new endpoint depends on nothing."""
    return {}


def start(connection: Connection, request: Request) -> Started:
    asked = request["params"]
    _, secret = add_endpoint(
        connection,
        merchant_id=request["merchant_id"],
        live=request["live"],
        url=asked["url"],
        description=asked["description"],
        events=asked["events"],
        actor=request["maker"],
        endpoint_id=request["subject_id"],
    )
    return Started(secret=secret)


if TYPE_CHECKING:
    from app.messages import approvable_endpoint as _me

    _: Action = _me

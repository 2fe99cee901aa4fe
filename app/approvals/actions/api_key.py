"""Issue an API key. Its secret is for whoever asked, once it is approved."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.approvals.actions._at_once import drop, gains, outcome
from app.approvals.issuer import refuse_more_than_own
from app.approvals.kinds import Action, Request, Started
from app.core.limits import of_json
from app.core.texts import N_
from app.merchants import keys

LABEL = N_("API key")
PERMISSION = "api_key.write"
RULE = "api_key"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """A new key depends on nothing."""
    return {}


def check(connection: Connection, request: Request) -> None:
    """Whoever asked may do by now what the key may. Raises MoreThanOwn, AboveOwnLimits."""
    asked, whom = request["params"], (request["maker"], request["merchant_id"])
    refuse_more_than_own(connection, *whom, asked["permissions"], of_json(asked["limits"]))


def start(connection: Connection, request: Request) -> Started:
    asked = request["params"]
    _, secret = keys.issue(
        connection,
        merchant_id=request["merchant_id"],
        live=request["live"],
        name=asked["name"],
        permissions=asked["permissions"],
        allowed=of_json(asked["limits"]),
        actor=request["maker"],
    )
    return Started(secret=secret)


if TYPE_CHECKING:
    from app.approvals.actions import api_key as _me

    _: Action = _me

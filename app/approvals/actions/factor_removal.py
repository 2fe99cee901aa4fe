"""Take away the second factor of somebody who lost it: until they set up a new one, a password is enough."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.staff import second_factor

LABEL = N_("Removal of a second factor")
PERMISSION = "user.write"
RULE = "rights"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """What they have to lose."""
    found = second_factor.of(connection, request["subject_id"])
    return {"app": found.totp_since is not None, "passkeys": len(found.passkeys)}


def gains(connection: Connection, request: Request) -> frozenset[UUID]:
    """The user themselves."""
    return frozenset({request["subject_id"]})


def start(connection: Connection, request: Request) -> Started:
    second_factor.remove_all(connection, request["subject_id"], actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import factor_removal as _me

    _: Action = _me

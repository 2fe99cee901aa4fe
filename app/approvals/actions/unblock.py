"""Take an entry off the block list."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.errors import NotFound
from app.core.texts import N_
from app.risk import block

LABEL = N_("Block list removal")
PERMISSION = "risk.write"
RULE = "unblock"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """Whether it still stands there."""
    try:
        return {"hint": block.read(connection, request["subject_id"], lock=True)["hint"]}
    except NotFound:
        return {"hint": None}


def start(connection: Connection, request: Request) -> Started:
    reason = request["params"]["reason"]
    block.unblock(connection, entry_id=request["subject_id"], reason=reason, actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import unblock as _me

    _: Action = _me

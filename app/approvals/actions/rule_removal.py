"""Take a rule for approvals away. Always needs a second person: else one could do alone what takes two."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.approvals import rules
from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.errors import NotFound
from app.core.texts import N_

LABEL = N_("Removal of a rule")
PERMISSION = "approval.rules"
RULE = ""  # whatever the rules say

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """Rules are never changed, so it is enough that it is there. Raises NotFound."""
    if connection.execute(select(rules.RULES.c.id).where(rules.RULES.c.id == request["subject_id"])).first() is None:
        raise NotFound()
    return {}


def start(connection: Connection, request: Request) -> Started:
    rules.remove_rule(connection, request["subject_id"], actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import rule_removal as _me

    _: Action = _me

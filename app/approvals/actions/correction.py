"""Record by hand how an operation without an answer ended. Always needs a second person."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.payments import sign_off
from app.payments.correct import correct
from app.payments.queries import OPERATIONS

LABEL = N_("Correction")
PERMISSION = "payment.correct"
RULE = ""  # whatever the rules say

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    payment = sign_off.facts(connection, request["payment_id"])
    state = connection.execute(select(OPERATIONS.c.state).where(OPERATIONS.c.id == request["subject_id"])).scalar_one()
    return {**payment, "operation": state}


def start(connection: Connection, request: Request) -> Started:
    operation_id: UUID = request["subject_id"]
    ended, reason = request["params"]["outcome"], request["reason"]
    correct(connection, operation_id, ended, reason=reason, actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import correction as _me

    _: Action = _me

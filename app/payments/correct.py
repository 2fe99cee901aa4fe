"""`correct()`: staff say how an operation ended that nobody else will tell us about.

For what stands on the worklist because its provider cannot or will not answer: somebody has looked at the provider's
own pages or at the bank. The books follow as they would have followed the provider's answer.
"""

from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from app.connectors.kinds import Answer, Outcome
from app.core.errors import Conflict
from app.core.events import tell
from app.core.ids import public_id
from app.core.texts import N_
from app.payments.perform import Done, apply_answer
from app.payments.queries import held_operation
from app.payments.worklist import waits_for_staff

Ended = Literal["succeeded", "declined"]
_OUTCOMES = {"succeeded": Outcome.APPROVED, "declined": Outcome.DECLINED}


class NothingToCorrect(Conflict):
    code = "nothing_to_correct"
    message = N_("Nobody has to say how this operation ended: it is %(state)s.")
    advice = N_("Only what has been without an answer for too long is corrected by hand.")


def correct(connection: Connection, operation_id: UUID, ended: Ended, *, reason: str, actor: str) -> Done:
    """Records the outcome in the open transaction, and that it was a person's. Raises NotFound, NothingToCorrect."""
    held = held_operation(connection, operation_id)
    operation = held.operation
    if not waits_for_staff(operation):
        raise NothingToCorrect(state=operation["state"])
    tell(
        "operation.corrected",
        subject=("operation", operation_id),
        merchant_id=operation["merchant_id"],
        live=operation["live"],
        payment_id=operation["payment_id"],
        audience="staff",
        data={
            "operation": public_id("op", operation_id),
            "before": operation["state"],
            "after": ended,
            "reason": reason,
        },
        actor=actor,
    )
    return apply_answer(connection, held, Answer(_OUTCOMES[ended], message=reason), actor=actor)

"""What waits for a second person's approval, as an answer: 202 while nobody has decided, 409 if it came to nothing."""

from typing import Any
from uuid import UUID

from flask import Response

from app.api._answers import answer
from app.core.errors import Conflict
from app.core.ids import public_id
from app.core.texts import N_

TO_APPROVE: Any = {
    202: {
        "description": "It waits for a second person's approval in the back office. Nothing is done until then.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PendingApproval"}}},
    }
}
_UNDER_WAY = ("pending", "approved")


class NotApproved(Conflict):
    code = "not_approved"
    message = N_("What was asked for is %(state)s.")
    advice = N_("Ask again with a new Idempotency-Key, if it is still wanted.")


def waiting(request_id: UUID, state: str = "pending", *, repeated: bool = False) -> Response:
    """Raises NotApproved for what was decided otherwise."""
    if state not in _UNDER_WAY:
        raise NotApproved(state=state)
    picture = {"id": public_id("apr", request_id), "object": "approval_request", "status": "pending_approval"}
    return answer(picture, 202, repeated=repeated)

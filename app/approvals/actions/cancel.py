"""Give back what is reserved."""

from typing import TYPE_CHECKING

from app.approvals.actions._payment import check, drop, facts, gains, outcome, start
from app.approvals.kinds import Action
from app.core.texts import N_

LABEL = N_("Cancel")
PERMISSION = "payment.cancel"
RULE = "cancel"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]

if TYPE_CHECKING:
    from app.approvals.actions import cancel as _me

    _: Action = _me

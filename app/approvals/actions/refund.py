"""Give captured money back."""

from typing import TYPE_CHECKING

from app.approvals.actions._payment import check, drop, facts, gains, outcome, start
from app.approvals.kinds import Action
from app.core.texts import N_

LABEL = N_("Refund")
PERMISSION = "payment.refund"
RULE = "refund"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]

if TYPE_CHECKING:
    from app.approvals.actions import refund as _me

    _: Action = _me

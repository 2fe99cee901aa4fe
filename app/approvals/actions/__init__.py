"""The shelf of what can be asked for and approved."""

from app.approvals.kinds import Action
from app.core.shelf import Shelf

ACTIONS: Shelf[Action] = Shelf("app.approvals.actions")

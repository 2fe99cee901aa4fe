"""The shelf of what a payer may be asked before a payment goes on."""

from app.core.shelf import Shelf
from app.risk.kinds import Step

STEPS: Shelf[Step] = Shelf("app.risk.steps")

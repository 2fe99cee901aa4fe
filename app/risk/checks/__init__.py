"""The shelf of risk checks."""

from app.core.shelf import Shelf
from app.risk.kinds import Check

CHECKS: Shelf[Check] = Shelf("app.risk.checks")

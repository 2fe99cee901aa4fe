"""The shelf of what stands hidden on a page and can be shown once, to whoever says why. To add one, add a file."""

from admin.reveals.kinds import Reveal
from app.core.shelf import Shelf

REVEALS: Shelf[Reveal] = Shelf("admin.reveals", skip=frozenset({"kinds"}))

"""The shelf of what a payer may choose: `METHODS["card"]` is `app/methods/card.py`."""

from app.core.shelf import Shelf
from app.methods.kinds import Method

METHODS: Shelf[Method] = Shelf("app.methods", skip=frozenset({"kinds"}))

"""The shelf of payment providers: `CONNECTORS["stripe"]` is `app/connectors/stripe.py`."""

from app.connectors.kinds import Connector
from app.core.shelf import Shelf

CONNECTORS: Shelf[Connector] = Shelf("app.connectors", skip=frozenset({"kinds"}))

"""The shelf of public events: `EVENTS["capture_succeeded"]` is `app/messages/events/capture_succeeded.py`."""

from functools import cache

from app.core.shelf import Shelf
from app.messages.events.kinds import PublicEvent

EVENTS: Shelf[PublicEvent] = Shelf("app.messages.events", skip=frozenset({"kinds"}))


@cache
def by_name() -> dict[str, PublicEvent]:
    """The same by the name that is told: `by_name()["capture.succeeded"]`."""
    return {event.NAME: event for event in EVENTS.values()}

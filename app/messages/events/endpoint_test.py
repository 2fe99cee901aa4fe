"""Told as `endpoint.test`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import endpoint

NAME = "endpoint.test"
TITLE = N_("Test delivery")
DESCRIPTION = N_("Sent on request to try out one endpoint. It tells nothing else.")
EXAMPLE = endpoint()
MAIL: dict[str, str] = {}

if TYPE_CHECKING:
    from app.messages.events import endpoint_test as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

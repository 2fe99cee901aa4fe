"""Told as `endpoint.failing`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import endpoint

NAME = "endpoint.failing"
TITLE = N_("Webhook endpoint is failing")
DESCRIPTION = N_("No delivery to this endpoint has succeeded for an hour.")
EXAMPLE = endpoint(failing_since="2026-11-21T09:30:00+00:00", last_error="HTTP 503")
MAIL = {"merchant": "endpoint_failing"}

if TYPE_CHECKING:
    from app.messages.events import endpoint_failing as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

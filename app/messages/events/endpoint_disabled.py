"""Told as `endpoint.disabled`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import endpoint

NAME = "endpoint.disabled"
TITLE = N_("Webhook endpoint switched off")
DESCRIPTION = N_("No delivery to this endpoint has succeeded for 72 hours; nothing is sent to it any more.")
EXAMPLE = endpoint(failing_since="2026-11-18T09:30:00+00:00", last_error="HTTP 503")
MAIL = {"merchant": "endpoint_disabled"}

if TYPE_CHECKING:
    from app.messages.events import endpoint_disabled as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

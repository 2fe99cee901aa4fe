"""Told as `capture.revoked`."""

from typing import TYPE_CHECKING

from app.core.texts import N_
from app.messages.events._examples import operation

NAME = "capture.revoked"
TITLE = N_("Capture taken back")
DESCRIPTION = N_("The provider has taken back a capture that it had confirmed.")
EXAMPLE = operation("capture", "declined", "authorised", amount=0, code="revoked", authorised=4990)
MAIL = {"shop": "event"}

if TYPE_CHECKING:
    from app.messages.events import capture_revoked as _me
    from app.messages.events.kinds import PublicEvent

    _: PublicEvent = _me

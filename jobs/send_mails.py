"""Hands waiting mails to the mail server."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.messages import send_mails as sending

EVERY = 10
QUEUE = DEFAULT


def run(limit: int) -> int:
    return sending.send_mails(limit)


if TYPE_CHECKING:
    from jobs import send_mails as _me
    from jobs.kinds import Sweep

    _: Sweep = _me
